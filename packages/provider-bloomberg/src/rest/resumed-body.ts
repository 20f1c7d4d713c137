import { isPluginError, type Logger, PluginError } from '@octo/plugin-api';
import type { ApiClient } from './api-client.ts';
import type { HttpAnswer } from './exchange.ts';

export interface BodyToRead {
  readonly client: ApiClient;
  readonly path: string;
  /** What to ask for. Ranges are of what is sent, and Bloomberg knows them with `gzip` only. */
  readonly encoding: 'gzip' | 'identity';
  readonly logger: Logger;
  /** Told once, before the first byte, how the body is encoded. */
  readonly begins: (encoding: 'gzip' | 'identity') => void;
}

/**
 * The bytes of a download as they are sent, over as many connections as it takes: after a break it is asked for the rest,
 * and where the server sends everything instead, what is known is passed over.
 * @throws PluginError `network` when nothing comes any more; `integrity` with code `BODY_CHANGED` when the rest does not fit
 */
export async function* resumedBody(
  { client, path, encoding, logger, begins }: BodyToRead,
  signal: AbortSignal,
): AsyncGenerator<Uint8Array, void, undefined> {
  let received = 0;
  let encoded: 'gzip' | 'identity' | undefined;
  let failures = 0;
  for (;;) {
    try {
      await using answer = await client.send(
        { path, headers: headersFor(encoding, received), accept: [416] },
        signal,
      );
      const now = encodingOf(answer);
      if (answer.status === 416) {
        expectEnd(answer, received, path);
        return;
      }
      if (encoded === undefined) begins(now);
      else if (encoded !== now) throw changed(path, `it comes as ${now} after ${encoded}`);
      encoded = now;
      let skip = received - startOf(answer, received, path);
      for await (const chunk of answer.body) {
        const rest = chunk.subarray(Math.min(skip, chunk.length));
        skip -= chunk.length - rest.length;
        if (rest.length === 0) continue;
        received += rest.length;
        failures = 0;
        yield rest;
      }
      if (skip > 0) throw changed(path, `it has fewer than the ${received} bytes that were read`);
      return;
    } catch (error) {
      signal.throwIfAborted();
      if (!isBreak(error) || received === 0 || ++failures > MAX_FAILURES) throw error;
      logger.info({ file: path, received }, 'download interrupted, asking for the rest');
      await client.clock.sleep(FIRST_PAUSE_MS * 2 ** (failures - 1), signal);
    }
  }
}

const MAX_FAILURES = 4;
const FIRST_PAUSE_MS = 250;

function headersFor(encoding: string, received: number): { readonly [name: string]: string } {
  const accept = { Accept: '*/*', 'Accept-Encoding': encoding };
  return received > 0 && encoding === 'gzip' ? { ...accept, Range: `bytes=${received}-` } : accept;
}

/** Where in the whole this answer begins. */
function startOf(answer: HttpAnswer, received: number, path: string): number {
  if (answer.status !== 206) return 0;
  const [, first] = /^bytes (\d+)-/.exec(answer.header('content-range') ?? '') ?? [];
  if (Number(first) === received) return received;
  throw changed(path, `the range from byte ${received} was answered with another one`);
}

/** There is nothing after the last byte: then it was the last one. */
function expectEnd(answer: HttpAnswer, received: number, path: string): void {
  const [, total] = /^bytes \*\/(\d+)$/.exec(answer.header('content-range') ?? '') ?? [];
  if (Number(total) !== received) throw changed(path, `it has no byte ${received} any more`);
}

function encodingOf(answer: HttpAnswer): 'gzip' | 'identity' {
  const encoding = answer.header('content-encoding') ?? 'identity';
  if (encoding === 'gzip' || encoding === 'identity') return encoding;
  throw new PluginError(
    'provider_down',
    `Bloomberg sent the encoding '${encoding.slice(0, 40)}', which nobody asked for`,
    { code: 'UNKNOWN_ENCODING' },
  );
}

function isBreak(error: unknown): boolean {
  return isPluginError(error) && error.type === 'network';
}

function changed(path: string, what: string): PluginError {
  return new PluginError('integrity', `${path} became another while it was read: ${what}`, {
    code: 'BODY_CHANGED',
  });
}
