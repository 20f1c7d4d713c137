import { CLOCK, definePlugin } from '@octo/plugin-api';
import { AwsSecrets } from './aws-secrets.ts';
import { CONFIG_SCHEMA } from './config-schema.ts';

/** Secrets of AWS Secrets Manager, by name, or one field of a secret that is JSON. */
export default definePlugin({
  name: 'aws-secrets',
  kind: 'secrets',
  summary: 'AWS Secrets Manager',
  configSchema: CONFIG_SCHEMA,
  inject: { clock: CLOCK },
  create: ({ config, clock }) => new AwsSecrets(config, clock),
});
