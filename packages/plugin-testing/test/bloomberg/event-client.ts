/** Reads a stream of server-sent events field by field, as the standard says, and without a library. */
import { request as httpRequest } from 'node:http';
import type { BloombergRest } from '../../src/index.ts';
import { tokenFor } from './rest-client.ts';

export interface SeenEvent {
  readonly id?: string;
  readonly event?: string;
  readonly data?: string;
  readonly retry?: string;
  /** A comment. */
  readonly ''?: string;
}

export interface OpenedStream extends AsyncDisposable {
  readonly status: number;
  /** The next block of fields. @throws Error when the stream was cut */
  next(): Promise<SeenEvent>;
  /** Resolves when the server ends the stream in good order; rejects when it cuts it. */
  ended(): Promise<void>;
}

export async function openStream(
  rest: BloombergRest,
  path: string,
  { headers = {}, nowMs = Date.now() }: OpenOptions = {},
): Promise<OpenedStream> {
  const url = new URL(`${rest.url}${path}`);
  const sent = httpRequest(url, {
    agent: false,
    headers: {
      accept: 'text/event-stream',
      'api-version': '2',
      ...('authorization' in headers ? {} : { jwt: tokenFor(rest, { method: 'GET', url, nowMs }) }),
      ...headers,
    },
  });
  sent.end();
  const { promise, resolve, reject } = Promise.withResolvers<OpenedStream>();
  sent.on('error', reject).on('response', (response) => {
    const blocks = blocksIn(response);
    resolve({
      status: response.statusCode ?? 0,
      async next() {
        const { done, value } = await blocks.next();
        if (done === true) throw new Error('the stream ended');
        return value;
      },
      async ended() {
        while ((await blocks.next()).done !== true);
      },
      async [Symbol.asyncDispose]() {
        response.on('error', () => {}).destroy();
      },
    });
  });
  return promise;
}

interface OpenOptions {
  readonly headers?: { readonly [name: string]: string };
  readonly nowMs?: number;
}

async function* blocksIn(stream: AsyncIterable<Buffer>): AsyncGenerator<SeenEvent, undefined> {
  let text = '';
  for await (const chunk of stream) {
    text += chunk.toString();
    const blocks = text.split(/(?:\r\n\r\n|\n\n|\r\r)/);
    text = blocks.pop() ?? '';
    for (const block of blocks) yield Object.fromEntries(block.split(/\r\n|\n|\r/).map(fieldIn));
  }
  return undefined;
}

function fieldIn(line: string): readonly [string, string] {
  const colon = line.indexOf(':');
  return [line.slice(0, colon), line.slice(colon + 1).trim()];
}
