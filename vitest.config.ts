import { fileURLToPath } from 'node:url';
import { defineConfig } from 'vitest/config';

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
    include: ['packages/*/test/**/*.test.ts', 'examples/*/test/**/*.test.ts', 'test/**/*.test.ts'],
    globalSetup: ['./tools/vitest.shared.ts'],
    setupFiles: ['./tools/vitest.setup.ts'],
    // Vitest leaves a core idle for itself, which it does not need: of two, only one would work.
    maxWorkers: '100%',
    testTimeout: 30_000,
    hookTimeout: 60_000,
  },
});
