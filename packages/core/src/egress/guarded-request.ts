import { request as plainRequest, type IncomingHttpHeaders } from 'node:http';
import { request as tlsRequest } from 'node:https';
import { isIP, type LookupFunction } from 'node:net';
import { buffer } from 'node:stream/consumers';
import type { EgressRules } from './egress-rules.ts';
import { guardedLookup } from './guarded-lookup.ts';

export interface GuardedRequest {
  readonly method: 'GET' | 'POST';
  readonly headers: Readonly<Record<string, string>>;
  readonly body?: string;
  /** Of the answer's body; 0 when nobody reads it. A longer one fails the request. */
  readonly mostBytes: number;
}

export interface GuardedAnswer {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly body: Buffer;
}

/**
 * One request of the host itself, over a connection of its own, to an address that the rules let pass: what was looked at is
 * what is connected to. A redirect is an answer like any other.
 * @param lookup in place of the system's
 * @throws PluginError `validation`, code `EGRESS_REFUSED`; whatever `node:http` fails with; the signal's reason
 */
export async function guardedRequest(
  url: URL,
  { method, headers, body, mostBytes }: GuardedRequest,
  rules: EgressRules,
  signal: AbortSignal,
  lookup?: LookupFunction,
): Promise<GuardedAnswer> {
  const host = url.hostname.replace(/^\[|\]$/g, '');
  if (isIP(host) !== 0) rules.check(host);
  const send = url.protocol === 'https:' ? tlsRequest : plainRequest;
  const { promise, resolve, reject } = Promise.withResolvers<GuardedAnswer>();
  const options = { method, headers, agent: false, signal, lookup: guardedLookup(rules, lookup) };
  const sent = send(url, options, (answer) => {
    const { statusCode: status = 0, headers: theirs } = answer;
    const read = mostBytes === 0 ? Buffer.alloc(0) : buffer(atMost(answer, mostBytes));
    if (mostBytes === 0) answer.destroy();
    resolve(Promise.resolve(read).then((bytes) => ({ status, headers: theirs, body: bytes })));
  });
  sent.on('error', (error) => reject(signal.aborted ? (signal.reason as Error) : error));
  sent.end(body);
  return await promise;
}

async function* atMost(
  chunks: AsyncIterable<Buffer>,
  mostBytes: number,
): AsyncGenerator<Buffer, void, void> {
  let bytes = 0;
  for await (const chunk of chunks) {
    bytes += chunk.length;
    if (bytes > mostBytes) throw new Error(`the answer has more than ${mostBytes} bytes`);
    yield chunk;
  }
}
