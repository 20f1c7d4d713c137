import { errorCatalogue, type ErrorCode } from '../errors/catalogue.ts';
import { OctoError, type Issue } from '../errors/octo-error.ts';

/** What is answered when something is wrong: RFC 9457, `application/problem+json`. */
export interface Problem {
  readonly type: string;
  readonly title: string;
  readonly status: number;
  readonly detail: string;
  /** This one occurrence; the same id stands in the header `x-request-id` and in the log. */
  readonly instance: string;
  readonly code: ErrorCode;
  /** All that was found together, for a manifest. */
  readonly issues?: readonly Issue[];
}

export const PROBLEM_TYPE = 'application/problem+json';

/** By text: what other rooms add later is told right without a change here. What is not named is 500, or as its family. */
const STATUS = new Map<string, number>([
  ['OCTO_API_INVALID', 400],
  ['OCTO_API_UNAUTHENTICATED', 401],
  ['OCTO_API_FORBIDDEN', 403],
  ['OCTO_API_NOT_FOUND', 404],
  ['OCTO_API_METHOD', 405],
  ['OCTO_API_CONFLICT', 409],
  ['OCTO_API_TOO_LARGE', 413],
  ['OCTO_API_TYPE', 415],
  ['OCTO_API_TOO_MANY', 429],
  ['OCTO_API_FAILED', 500],
  ['OCTO_API_NOT_BUILT', 501],
  ['OCTO_RUN_KEY_REUSED', 409],
  ['OCTO_PIPELINE_UNKNOWN', 404],
  ['OCTO_PIPELINE_DISABLED', 409],
  ['OCTO_SCOPE_INVALID', 400],
  ['OCTO_AUDIT_UNAVAILABLE', 503],
  ['OCTO_SECRETS_SEALED', 503],
]);

/** What the manifest that came with a request can have wrong with it. */
const OF_A_MANIFEST = /^OCTO_(MANIFEST|REFERENCE|INSTANCE|KEY|SCHEDULE|STEP|PLUGIN|CONFIG|TOKEN)_/;

export function statusOf(code: string): number {
  const known = STATUS.get(code);
  if (known !== undefined) return known;
  if (OF_A_MANIFEST.test(code)) return 422;
  return /^OCTO_(DATABASE|STATE|SECRETS)_/.test(code) ? 503 : 500;
}

/** @param requestId of the request that it is the answer to */
export function problemOf(error: OctoError, requestId: string, redact: Redact): Problem {
  const { code, message, issues } = error;
  const many = issues.length > 1 || issues[0]?.pointer !== undefined;
  return {
    type: `urn:octo:error:${code}`,
    title: errorCatalogue[code],
    status: statusOf(code),
    detail: redact(message),
    instance: `urn:octo:request:${requestId}`,
    code,
    ...(many ? { issues: issues.map((one) => ({ ...one, message: redact(one.message) })) } : {}),
  };
}

type Redact = (text: string) => string;

/** What fastify and the parser of HTTP find wrong, as one of ours; anything else is a defect, and says nothing of itself. */
export function octoErrorOf(error: unknown): OctoError {
  if (error instanceof OctoError) return error;
  const { statusCode = 500, code = '', message } = error as FastifyLike;
  const say = (id: ErrorCode, text: string) => new OctoError(id, text, { cause: error });
  if (code === 'FST_ERR_VALIDATION') return say('OCTO_API_INVALID', message);
  if (statusCode === 413 || code === 'HPE_HEADER_OVERFLOW' || statusCode === 431)
    return say('OCTO_API_TOO_LARGE', 'the request is too large; send less in one request');
  if (statusCode === 415)
    return say(
      'OCTO_API_TYPE',
      'the body is of another type; send it as the OpenAPI document says',
    );
  if (statusCode === 429) return say('OCTO_API_TOO_MANY', 'too many requests; wait, then go on');
  if (statusCode >= 400 && statusCode < 500)
    return say('OCTO_API_INVALID', 'the request cannot be read; is its body JSON, and whole?');
  return say('OCTO_API_FAILED', 'something went wrong here; the log says what, by this request id');
}

interface FastifyLike {
  readonly statusCode?: number;
  readonly code?: string;
  readonly message: string;
}
