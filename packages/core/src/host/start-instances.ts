import { chmod, mkdir } from 'node:fs/promises';
import type { LivingInstance } from './instance.ts';

/**
 * Starts those that were only created, one after the other, each with its `policy.timeoutMs`, after the folder of its
 * own was made. Resolves with those that failed; rejects only with the signal's reason.
 */
export async function startInstances(
  instances: Iterable<LivingInstance>,
  signal: AbortSignal,
): Promise<FailedInstance[]> {
  const failed: FailedInstance[] = [];
  for (const instance of instances) {
    if (instance.state.state !== 'created') continue;
    signal.throwIfAborted();
    await instance.start(() => makeStateFolder(instance.stateFolder), signal);
    const state = stateOf(instance);
    if (state.state === 'failed') failed.push({ id: instance.id, reason: state.reason });
  }
  return failed;
}

export interface FailedInstance {
  readonly id: string;
  /** As the plugin said it; may hold a secret. */
  readonly reason: string;
}

/** A call, because the compiler does not know that starting changes the state. */
function stateOf(instance: LivingInstance): LivingInstance['state'] {
  return instance.state;
}

async function makeStateFolder(folder: string | undefined): Promise<void> {
  if (folder === undefined) return;
  await mkdir(folder, { recursive: true, mode: 0o700 });
  // One that was there keeps its mode, and mkdir's is subject to the umask.
  await chmod(folder, 0o700);
}
