import { PluginError, type PluginErrorType } from '@octo/plugin-api';

/** An answer that is not what was asked for. */
export interface Refusal {
  readonly method: string;
  readonly url: URL;
  readonly status: number;
  /** The beginning of the body. */
  readonly body: string;
  /** `x-request-id`, which Bloomberg's support asks for. */
  readonly requestId: string | undefined;
  /** How long it was asked to wait. */
  readonly retryAfterMs?: number | undefined;
}

/**
 * What a refusal means, in the host's terms. There are two envelopes: the service's, with `title`, `description` and
 * `errors[].detail`, and that of the gateway before it, with `error` and `error_description`.
 */
export function apiError(refusal: Refusal): PluginError {
  const { method, url, status, requestId, retryAfterMs } = refusal;
  const { type, code, advice } = meaningOf(status);
  const said = saidIn(refusal.body);
  const told = said === '' ? '' : `: ${said}`;
  const id = requestId === undefined ? '' : ` (x-request-id ${plain(requestId)})`;
  return new PluginError(
    type,
    `Bloomberg answered ${status} to ${method} ${plain(url.pathname)}${told}${id}; ${advice}`,
    retryAfterMs === undefined ? { code } : { code, retryAfterMs },
  );
}

/** What the gateway says that its time is, in milliseconds since the Unix epoch; undefined when it does not. */
export function serverTimeOf(body: string): number | undefined {
  for (const error of listOf(objectOf(parsed(body))?.['errors'])) {
    const time = objectOf(objectOf(error)?.['meta'])?.['server-time'];
    const ms = millisecondsOf(time);
    if (ms !== undefined) return ms;
  }
  return undefined;
}

interface Meaning {
  readonly type: PluginErrorType;
  readonly code: string;
  readonly advice: string;
}

function meaningOf(status: number): Meaning {
  const known = MEANINGS.get(status);
  if (known !== undefined) return known;
  if (status >= 500)
    return { type: 'provider_down', code: 'API_DOWN', advice: 'it is tried again later' };
  return { type: 'validation', code: 'API_REFUSED', advice: 'look at the request' };
}

const MEANINGS = new Map<number, Meaning>([
  [
    400,
    {
      type: 'validation',
      code: 'BAD_REQUEST',
      advice: 'correct what it names in config/requests',
    },
  ],
  [
    401,
    {
      type: 'auth',
      code: 'LOGIN_REFUSED',
      advice:
        'either the credential is wrong or expired, or our source IP is not on its allow-list; both are at console.bloomberg.com',
    },
  ],
  [
    403,
    {
      type: 'auth',
      code: 'NOT_ENTITLED',
      advice: 'ask Bloomberg to entitle this credential',
    },
  ],
  [404, { type: 'not_found', code: 'NO_SUCH_THING', advice: 'it is gone, or was never there' }],
  [409, { type: 'validation', code: 'ALREADY_THERE', advice: 'choose another identifier' }],
  [429, { type: 'rate_limit', code: 'TOO_MANY_REQUESTS', advice: 'it is tried again more slowly' }],
]);

function saidIn(body: string): string {
  const envelope = objectOf(parsed(body));
  if (envelope === undefined) return '';
  const details = listOf(envelope['errors']).map((error) => {
    const { detail, source } = objectOf(error) ?? {};
    const pointer = textOf(objectOf(source)?.['pointer']);
    return pointer === '' ? textOf(detail) : `${textOf(detail)} (${pointer})`;
  });
  const said = [
    textOf(envelope['description']) || textOf(envelope['title']),
    textOf(envelope['error_description']) || textOf(envelope['error']),
    ...details,
  ];
  return plain([...new Set(said)].filter((text) => text !== '').join('; '));
}

function parsed(body: string): unknown {
  try {
    return JSON.parse(body);
  } catch {
    // A gateway's HTML, or nothing: the status says enough.
    return undefined;
  }
}

function millisecondsOf(time: unknown): number | undefined {
  if (typeof time !== 'string' && typeof time !== 'number') return undefined;
  const count = Number(time);
  // Seconds until the year 5138.
  if (Number.isFinite(count) && count > 0) return count < 1e11 ? count * 1000 : count;
  const ms = Date.parse(String(time));
  return Number.isNaN(ms) ? undefined : ms;
}

function objectOf(value: unknown): { readonly [name: string]: unknown } | undefined {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
    ? (value as { readonly [name: string]: unknown })
    : undefined;
}

function listOf(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : [];
}

function textOf(value: unknown): string {
  return typeof value === 'string' ? value : '';
}

/** What a server wrote, safe to print: one line, without control characters, not longer than a message may be. */
function plain(text: string): string {
  const safe = text.replaceAll(/[\p{C}\p{Zl}\p{Zp}]+/gu, ' ').trim();
  return safe.length > MAX_SAID ? `${safe.slice(0, MAX_SAID)}…` : safe;
}

const MAX_SAID = 300;
