import { resolve } from 'node:path';
import { CLOCK, definePlugin, type PluginDefinition, SYNC_TO_DISK } from '@octo/plugin-api';
import { realDisk } from './disk.ts';
import { FolderSink } from './folder-sink.ts';

const plugin: PluginDefinition = definePlugin({
  name: 'fs',
  kind: 'sink',
  summary: 'A local folder. Files appear whole, once, and survive a power cut.',
  configSchema: {
    type: 'object',
    required: ['directory'],
    additionalProperties: false,
    properties: {
      directory: {
        type: 'string',
        minLength: 1,
        access: 'create',
        description:
          'The folder in which files appear, relative to the manifest. Made when it is missing.',
      },
      fileMode: {
        type: 'string',
        pattern: '^0?[4-7][0-7]{2}$',
        default: '0640',
        description: 'Permissions of delivered files, octal.',
      },
      directoryMode: {
        type: 'string',
        pattern: '^0?7[0-7]{2}$',
        default: '0750',
        description: 'Permissions of folders that are made for delivered files, octal.',
      },
    },
    examples: [{ directory: './delivered' }],
  },
  network: false,
  inject: { clock: CLOCK, sync: SYNC_TO_DISK },
  create: ({ config, baseFolder, logger, clock, sync }) =>
    new FolderSink({
      directory: resolve(baseFolder, config.directory),
      fileMode: Number.parseInt(config.fileMode, 8),
      directoryMode: Number.parseInt(config.directoryMode, 8),
      logger,
      clock,
      disk: realDisk(sync),
    }),
});

export default plugin;
