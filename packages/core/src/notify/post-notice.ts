import { isPluginError, PluginError, type Clock } from '@octo/plugin-api';
import type { LookupFunction } from 'node:net';
import { egressRules } from '../egress/egress-rules.ts';
import { guardedRequest, type GuardedAnswer } from '../egress/guarded-request.ts';
import { withDeadline } from '../resilience/deadline.ts';
import { signedHeaders, type Message } from './sign.ts';
import type { Webhook } from './webhook.ts';

const DEADLINE_MS = 10_000;
const LONGEST_ASKED_MS = 3_600_000;

export type Receiver = Pick<Webhook, 'url' | 'secret' | 'allow'>;

const HOW = 'let the webhook: {allow} beside its url';

/** `gone`: it wants nothing any more. Otherwise the same message is worth another try, after `afterMs` if it said so. */
export type PostAnswer =
  | { readonly answer: 'taken' }
  | { readonly answer: 'gone' | 'refused'; readonly trouble: string; readonly afterMs?: number };

/**
 * Posts one message, under the rules of egress. Whatever comes back but a success is a refusal; redirects are not followed,
 * and what the answer holds is not read. Rejects only with the signal's reason.
 * @param lookup in place of the system's
 */
export async function postNotice(
  { url, secret, allow }: Receiver,
  message: Message,
  clock: Clock,
  signal: AbortSignal,
  lookup?: LookupFunction,
): Promise<PostAnswer> {
  const headers = {
    'content-type': 'application/json',
    'user-agent': 'octo-host',
    ...signedHeaders(message, secret.reveal(), clock.now()),
  };
  const rules = egressRules([{ config: { url: url.reveal() }, allow }], HOW);
  const request = { method: 'POST', headers, body: message.body, mostBytes: 0 } as const;
  const post = (inner: AbortSignal) =>
    guardedRequest(new URL(url.reveal()), request, rules, inner, lookup);
  try {
    return judged(await withDeadline('the webhook', DEADLINE_MS, clock, signal, post));
  } catch (error) {
    signal.throwIfAborted();
    return { answer: 'refused', trouble: troubleOf(error) };
  }
}

function judged({ status, headers }: GuardedAnswer): PostAnswer {
  if (status >= 200 && status < 300) return { answer: 'taken' };
  const trouble = `it answered ${status}`;
  if (status === 410) return { answer: 'gone', trouble };
  const seconds = Number(headers['retry-after'] ?? Number.NaN);
  if (!(seconds > 0)) return { answer: 'refused', trouble };
  return { answer: 'refused', trouble, afterMs: Math.min(seconds * 1000, LONGEST_ASKED_MS) };
}

/** Never the words of others: they may hold the address, and that may hold a secret. */
function troubleOf(error: unknown): string {
  if (isPluginError(error) && error.code === 'EGRESS_REFUSED') return error.message;
  if (error instanceof PluginError) return 'it did not answer in time';
  const { code } = error as { readonly code?: unknown };
  return typeof code === 'string' ? `it could not be reached (${code})` : 'it could not be reached';
}
