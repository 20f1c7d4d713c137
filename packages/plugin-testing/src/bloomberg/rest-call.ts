/** One call of the REST API, taken apart; and its answer, before it is written. */
import type { IncomingMessage } from 'node:http';
import { RestRefusal } from './rest-refusal.ts';

export interface RestCall {
  readonly method: string;
  /** As sent: percent-encoded, without query. */
  readonly path: string;
  readonly query: URLSearchParams;
  /** Lower-case names; repeated ones joined by a comma. */
  readonly headers: { readonly [name: string]: string };
  /** The whole body. @throws RestRefusal 400 when it is no JSON object */
  readonly json: () => Promise<{ readonly [name: string]: unknown }>;
  readonly text: () => Promise<string>;
}

/** An answer whose body is a JSON object. */
export interface JsonAnswer extends RestAnswer {
  readonly body: { readonly [name: string]: unknown };
}

export interface RestAnswer {
  readonly status: number;
  readonly headers?: { readonly [name: string]: string };
  /** An object goes out as JSON. */
  readonly body?: object | string | Uint8Array;
  /** Takes over the connection, in place of a body: an event stream. */
  readonly stream?: (connection: StreamConnection) => void;
  /** Where the body breaks, and how. */
  readonly cut?: { readonly bytes: number; readonly how: 'cut' | 'stall' };
}

export interface StreamConnection {
  write(text: string): void;
  end(): void;
  /** Without a farewell. */
  destroy(): void;
  readonly closed: AbortSignal;
}

export function parseCall(request: IncomingMessage): RestCall {
  const target = request.url ?? '/';
  const mark = target.indexOf('?');
  const path = mark === -1 ? target : target.slice(0, mark);
  const text = once(() => bodyOf(request));
  return {
    method: request.method ?? 'GET',
    path,
    query: new URLSearchParams(mark === -1 ? '' : target.slice(mark + 1)),
    headers: headersOf(request),
    text,
    json: async () => objectIn(await text()),
  };
}

/** Bodies beyond this are refused: 80,000 securities with room to spare. */
const MAX_BODY_BYTES = 64 * 1024 ** 2;

async function bodyOf(request: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of request as AsyncIterable<Buffer>) {
    bytes += chunk.length;
    if (bytes > MAX_BODY_BYTES) throw new RestRefusal(413, 'The body is too large.');
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString('utf8');
}

function objectIn(text: string): { readonly [name: string]: unknown } {
  const value = parsed(text);
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) {
    return value as { readonly [name: string]: unknown };
  }
  throw new RestRefusal(400, 'The body is no JSON object.');
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function headersOf(request: IncomingMessage): { [name: string]: string } {
  return Object.fromEntries(
    Object.entries(request.headersDistinct).map(([name, values]) => [
      name,
      (values ?? []).join(', '),
    ]),
  );
}

function once<T>(work: () => Promise<T>): () => Promise<T> {
  let result: Promise<T> | undefined;
  return () => (result ??= work());
}
