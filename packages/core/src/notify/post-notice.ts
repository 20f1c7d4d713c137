import { PluginError, type Clock } from '@octo/plugin-api';
import { withDeadline } from '../resilience/deadline.ts';
import { signedHeaders, type Message } from './sign.ts';

const DEADLINE_MS = 10_000;
const LONGEST_ASKED_MS = 3_600_000;

export interface Receiver {
  readonly url: string;
  readonly secret: string;
}

/** `gone`: it wants nothing any more. Otherwise the same message is worth another try, after `afterMs` if it said so. */
export type PostAnswer =
  | { readonly answer: 'taken' }
  | { readonly answer: 'gone' | 'refused'; readonly trouble: string; readonly afterMs?: number };

/**
 * Posts one message. Whatever comes back but a success is a refusal; redirects are not followed, and what the answer holds is
 * not read. Rejects only with the signal's reason.
 */
export async function postNotice(
  { url, secret }: Receiver,
  message: Message,
  clock: Clock,
  signal: AbortSignal,
): Promise<PostAnswer> {
  const headers = {
    'content-type': 'application/json',
    'user-agent': 'octo-host',
    ...signedHeaders(message, secret, clock.now()),
  };
  const post = async (inner: AbortSignal): Promise<Response> => {
    const request = { method: 'POST', headers, body: message.body, redirect: 'manual' } as const;
    const response = await fetch(url, { ...request, signal: inner });
    await response.body?.cancel();
    return response;
  };
  try {
    return judged(await withDeadline('the webhook', DEADLINE_MS, clock, signal, post));
  } catch (error) {
    signal.throwIfAborted();
    return { answer: 'refused', trouble: troubleOf(error) };
  }
}

function judged({ status, headers }: Response): PostAnswer {
  if (status >= 200 && status < 300) return { answer: 'taken' };
  const trouble = `it answered ${status}`;
  if (status === 410) return { answer: 'gone', trouble };
  const seconds = Number(headers.get('retry-after') ?? Number.NaN);
  if (!(seconds > 0)) return { answer: 'refused', trouble };
  return { answer: 'refused', trouble, afterMs: Math.min(seconds * 1000, LONGEST_ASKED_MS) };
}

/** Never the error's own words: they may hold the address, and that may hold a secret. */
function troubleOf(error: unknown): string {
  if (error instanceof PluginError) return 'it did not answer in time';
  const { code } = ((error as Error | undefined)?.cause ?? {}) as { readonly code?: unknown };
  return typeof code === 'string' ? `it could not be reached (${code})` : 'it could not be reached';
}
