import { defineConfig } from 'vitest/config';

// Tests run against the sources of every package; only spawned processes use the build.
export default defineConfig({
  resolve: { conditions: ['octo-source'] },
  ssr: { resolve: { conditions: ['octo-source'] } },
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
