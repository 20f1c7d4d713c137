import type { Clock } from '@octo/plugin-api';
import type { RunNews } from '../jobs/runs.ts';
import { runJson } from './run-json.ts';

/** A line without meaning this often, so that nobody between us takes a quiet run for a dead connection. */
const BEAT_MS = 15_000;

/** News of a run as server-sent events; ends when the news end. */
export async function* eventFrames(
  news: AsyncIterable<RunNews>,
  { clock, redact }: { readonly clock: Clock; readonly redact: (text: string) => string },
): AsyncGenerator<string> {
  yield ': follows a run\n\n';
  const iterator = news[Symbol.asyncIterator]();
  try {
    for (let next = iterator.next(); ;) {
      const found = await orBeat(next, clock);
      if (found === 'beat') yield ': still there\n\n';
      else if (found.done === true) return;
      else {
        yield frame(found.value, redact);
        next = iterator.next();
      }
    }
  } finally {
    await iterator.return?.();
  }
}

async function orBeat<T>(next: Promise<T>, clock: Clock): Promise<T | 'beat'> {
  const over = new AbortController();
  const beat = clock.sleep(BEAT_MS, over.signal).then(
    () => 'beat' as const,
    () => 'beat' as const,
  );
  try {
    return await Promise.race([next, beat]);
  } finally {
    over.abort();
  }
}

function frame(
  { sequence, run, event, path, reason }: RunNews,
  redact: (text: string) => string,
): string {
  const data = {
    run: runJson(run, redact),
    path,
    reason: reason === undefined ? undefined : redact(reason),
  };
  return `id: ${sequence}\nevent: ${event.replaceAll(/[^\w-]/g, '')}\ndata: ${JSON.stringify(data)}\n\n`;
}
