import type { ConfigOf } from '@octo/plugin-api';

export const CONFIG_SCHEMA = {
  type: 'object',
  required: ['region'],
  additionalProperties: false,
  properties: {
    region: {
      type: 'string',
      minLength: 1,
      maxLength: 64,
      pattern: '^[a-z0-9-]+$',
      description: 'The region of the secrets, such as us-east-1.',
    },
    prefix: {
      type: 'string',
      maxLength: 256,
      default: '',
      description:
        'What stands before every name, such as octo/prod/. The plugin asks for nothing else.',
    },
    versionStage: {
      type: 'string',
      minLength: 1,
      maxLength: 256,
      default: 'AWSCURRENT',
      description: 'Which version of a secret is taken.',
    },
    endpoint: {
      type: 'string',
      format: 'uri',
      description: 'Address of a VPC endpoint or a compatible store. Default: AWS in the region.',
    },
    credentials: {
      type: 'object',
      required: ['accessKeyId', 'secretAccessKey'],
      additionalProperties: false,
      description:
        "Default: the AWS SDK's chain. What lies in the environment or in files, the manifest's `allow` must open; the role of an instance needs nothing.",
      properties: {
        accessKeyId: { type: 'string', minLength: 1, secret: true },
        secretAccessKey: { type: 'string', minLength: 1, secret: true },
        sessionToken: { type: 'string', minLength: 1, secret: true },
      },
    },
    timeoutMs: {
      type: 'integer',
      minimum: 100,
      maximum: 600_000,
      default: 10_000,
      description: 'For one request, all in all, in milliseconds.',
    },
  },
  examples: [{ region: 'us-east-1', prefix: 'octo/prod/' }],
} as const;

export type AwsSecretsConfig = ConfigOf<typeof CONFIG_SCHEMA>;
