import { CLOCK, definePlugin } from '@octo/plugin-api';
import { AffirmProvider } from './affirm-provider.ts';
import { configSchema } from './config-schema.ts';

export default definePlugin({
  name: 'affirm',
  kind: 'provider',
  summary: 'Affirm settlement files, from SFTP or from a local folder into which they are pushed',
  configSchema,
  inject: { clock: CLOCK },
  create: (context) => new AffirmProvider(context),
});
