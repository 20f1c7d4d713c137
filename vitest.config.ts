import { defineConfig } from 'vitest/config';

// Tests run against the sources of every package; only spawned processes use the build.
export default defineConfig({
  resolve: { conditions: ['octo-source'] },
  ssr: { resolve: { conditions: ['octo-source'] } },
  test: {
    include: ['packages/*/test/**/*.test.ts', 'examples/*/test/**/*.test.ts', 'test/**/*.test.ts'],
    globalSetup: ['./tools/vitest.shared.ts'],
    setupFiles: ['./tools/vitest.setup.ts'],
    testTimeout: 30_000,
    hookTimeout: 60_000,
  },
});
