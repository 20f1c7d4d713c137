import { CLOCK, definePlugin, STATE_FOLDER, SYNC_TO_DISK } from '@octo/plugin-api';
import { BloombergProvider } from './bloomberg-provider.ts';
import { configSchema } from './config-schema.ts';

export default definePlugin({
  name: 'bloomberg',
  kind: 'provider',
  summary: 'Replies of Bloomberg Data License, over REST or over SFTP',
  configSchema,
  inject: { clock: CLOCK, stateFolder: STATE_FOLDER, sync: SYNC_TO_DISK },
  create: (context) => new BloombergProvider(context),
});
