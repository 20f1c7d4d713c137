import type { ConfigOf } from '@octo/plugin-api';

const MIB = 1024 ** 2;

export const CONFIG_SCHEMA = {
  type: 'object',
  required: ['bucket', 'region'],
  additionalProperties: false,
  properties: {
    bucket: {
      type: 'string',
      minLength: 3,
      maxLength: 63,
      pattern: '^[a-z0-9][a-z0-9.-]*[a-z0-9]$',
      description: 'The bucket. It must exist.',
    },
    region: {
      type: 'string',
      minLength: 1,
      description: "The bucket's region, such as us-east-1.",
    },
    prefix: {
      type: 'string',
      default: '',
      description: 'What every key begins with, without slashes at its ends.',
    },
    endpoint: {
      type: 'string',
      format: 'uri',
      description: 'Address of a compatible store. Default: Amazon S3 in the region.',
    },
    forcePathStyle: {
      type: 'boolean',
      description:
        'Put the bucket into the path instead of the host name. Default: yes when an endpoint is given.',
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
    serverSideEncryption: {
      type: 'object',
      required: ['type'],
      additionalProperties: false,
      description: "Encryption at rest. Default: the bucket's own setting.",
      properties: {
        type: { enum: ['AES256', 'aws:kms'] },
        kmsKeyId: { type: 'string', minLength: 1, description: "Default: the account's key." },
      },
    },
    checksums: {
      enum: ['crc64nvme', 'md5', 'none'],
      default: 'crc64nvme',
      description:
        'What the store checks. crc64nvme: every part and the whole object; md5: every part; none: nothing, for stores that refuse both.',
    },
    partBytes: {
      type: 'integer',
      minimum: 5 * MIB,
      maximum: 1024 * MIB,
      default: 8 * MIB,
      description: 'Size of a part in bytes; grows for objects that would need too many.',
    },
    concurrency: {
      type: 'integer',
      minimum: 1,
      maximum: 64,
      default: 4,
      description:
        'Parts of one object on their way at a time. Memory for one object: one more than that, times partBytes.',
    },
    completeGraceMs: {
      type: 'integer',
      minimum: 0,
      default: 600_000,
      description:
        'How long an object whose completion got no answer may still appear, in milliseconds.',
    },
    timeouts: {
      type: 'object',
      additionalProperties: false,
      default: {},
      description: 'All in milliseconds.',
      properties: {
        connectMs: {
          type: 'integer',
          minimum: 100,
          default: 5000,
          description: 'Until connected.',
        },
        idleMs: {
          type: 'integer',
          minimum: 1000,
          default: 30_000,
          description: 'Without a byte in either direction.',
        },
        requestMs: {
          type: 'integer',
          minimum: 1000,
          default: 60_000,
          description: 'For one small request, all in all.',
        },
        partMs: {
          type: 'integer',
          minimum: 1000,
          default: 900_000,
          description: 'For one part, all in all.',
        },
        completeMs: {
          type: 'integer',
          minimum: 1000,
          default: 300_000,
          description: 'For making an object visible: the store may take minutes over many parts.',
        },
      },
    },
  },
  examples: [{ bucket: 'octo-lake', region: 'us-east-1', prefix: 'settlements' }],
} as const;

export type S3SinkConfig = ConfigOf<typeof CONFIG_SCHEMA>;
