import { describeError } from '../observe/describe-error.ts';
import type { HostOptions } from './host.ts';
import type { LivingInstance } from './instance.ts';

type DisposeOptions = Pick<HostOptions, 'logger' | 'disposeDeadlineMs'> & {
  readonly redact: (text: string) => string;
};

/** Closes them in reverse order: what was started last may lean on what was started before. Never rejects. */
export async function disposeInstances(
  instances: Iterable<LivingInstance>,
  { logger, redact, disposeDeadlineMs = 10_000 }: DisposeOptions,
): Promise<void> {
  for (const instance of [...instances].toReversed()) {
    try {
      await instance.dispose(disposeDeadlineMs);
    } catch (error) {
      const fields = { instance: instance.id, reason: redact(describeError(error)) };
      logger.warn(fields, 'plugin did not close properly');
    }
  }
}
