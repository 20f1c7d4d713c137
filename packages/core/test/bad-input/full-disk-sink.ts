/** The folder sink on a disk that has room for a few bytes only. */
import {
  CLOCK,
  definePlugin,
  type PluginDefinition,
  SYNC_TO_DISK,
  type SyncToDisk,
} from '@octo/plugin-api';
import { type Disk, realDisk } from '../../../sink-fs/src/disk.ts';
import { FolderSink } from '../../../sink-fs/src/folder-sink.ts';

const ROOM = 100_000;

function fullDisk(sync: SyncToDisk): Disk {
  const disk = realDisk(sync);
  return {
    ...disk,
    async create(path, through) {
      const file = await disk.create(path, through);
      return {
        writesThrough: file.writesThrough,
        write: async (chunks, position) => {
          if (position + chunks[0]!.length > ROOM) throw noSpace();
          return await file.write(chunks, position);
        },
        setMode: (mode) => file.setMode(mode),
        sync: () => file.sync(),
        status: () => file.status(),
        close: () => file.close(),
      };
    },
  };
}

function noSpace(): Error {
  const text = 'ENOSPC: no space left on device, write';
  return Object.assign(new Error(text), { code: 'ENOSPC', syscall: 'write' });
}

const plugin: PluginDefinition = definePlugin({
  name: 'full-disk',
  kind: 'sink',
  configSchema: {
    type: 'object',
    required: ['directory'],
    additionalProperties: false,
    properties: { directory: { type: 'string', access: 'create' } },
  },
  inject: { clock: CLOCK, sync: SYNC_TO_DISK },
  create: ({ config: { directory }, logger, clock, sync }) =>
    new FolderSink({
      directory,
      fileMode: 0o640,
      directoryMode: 0o750,
      logger,
      clock,
      disk: fullDisk(sync),
    }),
});

export default plugin;
