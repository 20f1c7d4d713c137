import type { Clock, RateLimit } from '@octo/plugin-api';
import type { InstanceConfig } from '../manifest/manifest.ts';
import type { HostOptions } from './host.ts';

/** The service by which a plugin counts requests of its own. Without a rate in its policy nobody waits. */
export function rateLimit(
  { id, policy }: Pick<InstanceConfig, 'id' | 'policy'>,
  clock: Clock,
  pace: HostOptions['pace'],
): RateLimit {
  return {
    take: async (signal) => {
      signal.throwIfAborted();
      if (pace === undefined || policy.rate === undefined) return;
      const waitMs = await pace(id);
      if (waitMs > 0) await clock.sleep(waitMs, signal);
    },
  };
}
