import { fileURLToPath } from 'node:url';
import { defineConfig } from 'vitest/config';

const EVERY = ['packages/*/test/**/*.test.ts', 'examples/*/test/**/*.test.ts', 'test/**/*.test.ts'];
/** These leave their process as they found it, so that one process runs many of them and loads each module once. */
const TOGETHER = [
  'packages/{crc64nvme,plugin-api,plugin-testing,provider-affirm,provider-bloomberg,sftp,sink-fs,sink-s3}/test/**/*.test.ts',
  'packages/core/test/{errors,host,manifest,observe,pipeline,resilience,wire}/**/*.test.ts',
];
const LAUNCH = fileURLToPath(new URL('./packages/core/dist/workers/launch.js', import.meta.url));

// Tests run against the sources of every package; only spawned processes use the build.
export default defineConfig({
  resolve: { conditions: ['octo-source'] },
  ssr: { resolve: { conditions: ['octo-source'] } },
  plugins: [
    {
      // Workers are spawned, too: the module that starts them is the one that starts those of the build.
      name: 'octo-workers-of-the-build',
      enforce: 'pre',
      resolveId: (source, importer) =>
        source === './launch.ts' && importer?.endsWith('/core/src/workers/worker-process.ts')
          ? LAUNCH
          : undefined,
    },
  ],
  test: {
    globalSetup: ['./tools/vitest.shared.ts'],
    setupFiles: ['./tools/vitest.setup.ts'],
    // Vitest leaves a core idle for itself, which it does not need: of two, only one would work.
    maxWorkers: '100%',
    testTimeout: 30_000,
    hookTimeout: 60_000,
    projects: [
      { extends: true, test: { name: 'together', include: TOGETHER, isolate: false } },
      { extends: true, test: { name: 'alone', include: EVERY, exclude: TOGETHER } },
    ],
  },
});
