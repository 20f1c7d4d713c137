import { once } from 'node:events';
import { createServer, type IncomingHttpHeaders } from 'node:http';
import type { AddressInfo } from 'node:net';
import { json } from 'node:stream/consumers';
import { onTestFinished } from 'vitest';

export interface ReceivedSpan {
  readonly traceId: string;
  readonly spanId: string;
  readonly parentSpanId?: string;
  readonly name: string;
  readonly startTimeUnixNano: string;
  readonly endTimeUnixNano: string;
  readonly attributes: readonly {
    readonly key: string;
    readonly value: {
      readonly stringValue?: string;
      readonly intValue?: number;
      readonly doubleValue?: number;
    };
  }[];
  readonly status: { readonly code?: number; readonly message?: string };
}

interface Posted {
  readonly resourceSpans: readonly {
    readonly resource: Pick<ReceivedSpan, 'attributes'>;
    readonly scopeSpans: readonly { readonly spans: readonly ReceivedSpan[] }[];
  }[];
}

/** A collector on loopback that takes what comes as OTLP in JSON, and answers as it is told to. */
export async function collector(answer: 200 | 500 | 'never' = 200) {
  const posts: { path: string; headers: IncomingHttpHeaders; body: Posted }[] = [];
  const asked = Promise.withResolvers<void>();
  const server = createServer((request, response) => {
    void json(request).then((body) => {
      posts.push({ path: request.url ?? '', headers: request.headers, body: body as Posted });
      asked.resolve();
      if (answer !== 'never') response.writeHead(answer).end('{}');
    });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    posts,
    /** Resolves when the first batch has come. */
    asked: asked.promise,
    spans: () =>
      posts.flatMap(({ body }) =>
        body.resourceSpans.flatMap(({ scopeSpans }) => scopeSpans.flatMap(({ spans }) => spans)),
      ),
  };
}

/** Attributes as a plain object. */
export function plain({ attributes }: Pick<ReceivedSpan, 'attributes'>) {
  return Object.fromEntries(
    attributes.map(({ key, value }) => [
      key,
      value.stringValue ?? value.intValue ?? value.doubleValue,
    ]),
  );
}
