import type { FastifyInstance } from 'fastify';
import { OctoError } from '../errors/octo-error.ts';

/** Levels of objects and lists. A parser that calls itself must not be led any deeper. */
const DEEPEST = 64;

/** The types of bodies that are read: JSON without `__proto__`, not too deep; and a form, for the token endpoint alone. */
export function readBodies(app: FastifyInstance): void {
  app.removeAllContentTypeParsers();
  const parse = app.getDefaultJsonParser('error', 'error');
  app.addContentTypeParser('application/json', { parseAs: 'string' }, (request, body, done) => {
    if (isTooDeep(String(body))) {
      const text = `the body is nested more than ${DEEPEST} levels deep; send it flatter`;
      return done(new OctoError('OCTO_API_INVALID', text));
    }
    return parse(request, String(body), done);
  });
  const form = 'application/x-www-form-urlencoded';
  app.addContentTypeParser(form, { parseAs: 'string' }, (request, body, done) => {
    if (request.routeOptions.schema?.consumes?.includes(form) !== true) {
      const text = 'the body is a form; send JSON, as the OpenAPI document says';
      return done(new OctoError('OCTO_API_TYPE', text));
    }
    const pairs = [...new URLSearchParams(String(body))];
    const fields = Object.fromEntries(pairs);
    // RFC 6749, 3.2: parameters must not be included more than once.
    if (Object.keys(fields).length === pairs.length) return done(null, fields);
    return done(new OctoError('OCTO_API_INVALID', 'the form names a field twice; send each once'));
  });
}

/** One pass, without a regular expression: an unfinished text full of quotes must not cost more than its length. */
function isTooDeep(text: string): boolean {
  let depth = 0;
  let isText = false;
  for (let at = 0; at < text.length; at++) {
    const mark = text[at];
    if (isText) {
      if (mark === '\\') at++;
      else if (mark === '"') isText = false;
    } else if (mark === '"') isText = true;
    else if (mark === '[' || mark === '{') depth++;
    else if (mark === ']' || mark === '}') depth--;
    if (depth > DEEPEST) return true;
  }
  return false;
}
