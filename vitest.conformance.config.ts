import { defineConfig } from 'vitest/config';

// Against the real thing: OpenSSH's sshd, gpg. Each suite says what it needs, and skips itself where that is missing.
export default defineConfig({
  resolve: { conditions: ['octo-source'] },
  ssr: { resolve: { conditions: ['octo-source'] } },
  test: {
    include: ['packages/*/conformance/**/*.test.ts'],
    globalSetup: ['./tools/vitest.shared.ts'],
    setupFiles: ['./tools/vitest.setup.ts'],
    maxWorkers: '100%',
    passWithNoTests: true,
    testTimeout: 120_000,
    hookTimeout: 120_000,
  },
});
