import { describe } from 'vitest';
import { systemClock } from '../../src/host/system-clock.ts';
import { MemoryRunStore } from './memory-runs.ts';
import { runQueueSuite } from './run-queue-suite.ts';
import { runsSuite } from './runs-suite.ts';

describe('runs in memory', () => {
  runsSuite(async () => new MemoryRunStore(systemClock).host('a'));
});

describe('the queue in memory', () => {
  runQueueSuite(async () => {
    const store = new MemoryRunStore(systemClock);
    return {
      host: async (name) => {
        const host = store.host(name);
        await host.arrive();
        return host;
      },
      lapse: async () => store.lapse(),
    };
  });
});
