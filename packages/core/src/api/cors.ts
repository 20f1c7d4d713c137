import type { FastifyInstance } from 'fastify';

const METHODS = 'GET, POST';
const HEADERS =
  'authorization, content-type, idempotency-key, if-match, last-event-id, x-request-id';

/** Lets web pages of these origins call; without any, browsers let nobody. */
export function allowOrigins(app: FastifyInstance, origins: readonly string[]): void {
  if (origins.length === 0) return;
  app.addHook('onRequest', async (request, reply) => {
    void reply.header('vary', 'Origin');
    const { origin } = request.headers;
    if (origin === undefined || !origins.includes(origin)) return;
    void reply
      .header('access-control-allow-origin', origin)
      .header('access-control-expose-headers', 'etag, location, retry-after, x-request-id');
    if (request.method !== 'OPTIONS') return;
    await reply
      .code(204)
      .header('access-control-allow-methods', METHODS)
      .header('access-control-allow-headers', HEADERS)
      .header('access-control-max-age', '600')
      .send();
  });
}
