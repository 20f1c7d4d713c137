import { CLOCK, definePlugin } from '@octo/plugin-api';
import { CONFIG_SCHEMA } from './config-schema.ts';
import { S3Sink } from './s3-sink.ts';

/** Objects in Amazon S3 and compatible stores: staged as multipart uploads, visible in one conditional step. */
export default definePlugin({
  name: 's3',
  kind: 'sink',
  summary: 'Amazon S3 and compatible object stores',
  configSchema: CONFIG_SCHEMA,
  inject: { clock: CLOCK },
  create: ({ config, clock, logger }) => new S3Sink(config, clock, logger),
});
