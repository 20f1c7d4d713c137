/** Writes an answer, or as much of it as a fault allows. */
import type { ServerResponse } from 'node:http';
import type { RestAnswer } from './rest-call.ts';

export interface AnswerStamp {
  /** Sent as `x-request-id`. */
  readonly id: string;
  /** The server's time, for `Date`. */
  readonly nowMs: number;
}

export function sendAnswer(answer: RestAnswer, response: ServerResponse, stamp: AnswerStamp): void {
  const { status, headers = {}, cut, stream } = answer;
  const body = bytesOf(answer.body);
  response.sendDate = false;
  response.writeHead(status, {
    date: new Date(stamp.nowMs).toUTCString(),
    'x-request-id': stamp.id,
    'latest-api-version': '2',
    ...(isJson(answer) && { 'content-type': 'application/json' }),
    ...(stream === undefined && { 'content-length': String(body.length) }),
    ...headers,
  });
  if (stream !== undefined) stream(connectionOf(response));
  else if (cut === undefined || cut.bytes > body.length) response.end(body);
  else sendPart(body.subarray(0, cut.bytes), cut.how, response);
}

function sendPart(bytes: Uint8Array, how: 'cut' | 'stall', response: ServerResponse): void {
  response.flushHeaders();
  if (how === 'stall') response.write(bytes);
  // A FIN after the last byte, so that none of them is lost on the way.
  else response.write(bytes, () => response.socket?.destroySoon());
}

function connectionOf(response: ServerResponse) {
  const closed = new AbortController();
  response.on('close', () => closed.abort()).on('error', () => {});
  response.flushHeaders();
  return {
    write: (text: string) => void response.write(text),
    end: () => void response.end(),
    // Not at once: what was just written lies in a corked socket until the next tick.
    destroy: () => setImmediate(() => response.socket?.destroySoon()),
    closed: closed.signal,
  };
}

function isJson({ body }: RestAnswer): boolean {
  return typeof body === 'object' && !(body instanceof Uint8Array);
}

function bytesOf(body: RestAnswer['body']): Uint8Array {
  if (body === undefined) return new Uint8Array();
  if (body instanceof Uint8Array) return body;
  return Buffer.from(typeof body === 'string' ? body : JSON.stringify(body));
}
