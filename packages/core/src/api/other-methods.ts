import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { OctoError } from '../errors/octo-error.ts';

/** What no route answers: 405 where another method would do, else 404. */
export function answerOtherMethods(app: FastifyInstance): void {
  const routes: { readonly path: RegExp; readonly method: string }[] = [];
  app.addHook('onRoute', ({ url, method }) => {
    const path = new RegExp(`^${url.replaceAll('.', '\\.').replaceAll(/:\w+/g, '[^/]+')}$`);
    for (const one of [method].flat()) routes.push({ path, method: one });
  });
  const refuse = (request: FastifyRequest, reply: FastifyReply) => {
    const [path = ''] = request.url.split('?', 1);
    const methods = routes.filter((one) => one.path.test(path)).map(({ method }) => method);
    if (methods.length === 0)
      throw new OctoError(
        'OCTO_API_NOT_FOUND',
        'there is nothing at this path; GET /v1/openapi.json lists what there is',
      );
    const allowed = methods.join(', ');
    void reply.header('allow', allowed);
    throw new OctoError('OCTO_API_METHOD', `this path takes ${allowed}`);
  };
  // Before the body is looked at: what is asked for is not there, whatever the body says.
  app.addHook('onRequest', async (request, reply) => {
    if (request.is404) refuse(request, reply);
  });
  app.setNotFoundHandler(refuse);
}
