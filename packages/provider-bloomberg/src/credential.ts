import { PluginError } from '@octo/plugin-api';

/** Who we are to Bloomberg's REST API, as the console gives it out. */
export interface Credential {
  readonly clientId: string;
  /** As in the credential file, hexadecimal: what OAuth2 wants. */
  readonly clientSecret: string;
  /** The bytes that the secret stands for: what signs a JWT. */
  readonly key: Buffer;
  /** Milliseconds since the Unix epoch; undefined when only id and secret are known. */
  readonly expiresMs: number | undefined;
}

/** How long before its end a credential is warned about. */
export const WARN_DAYS = 30;
const DAY_MS = 86_400_000;

/**
 * Reads the text of a credential file.
 * @throws PluginError `validation` with code `BAD_CREDENTIAL`; the message holds nothing of the text
 */
export function parseCredential(text: string): Credential {
  const file = fieldsOf(text);
  const clientId = file['client_id'];
  const clientSecret = file['client_secret'];
  const expires = file['expiration_date'];
  if (typeof clientId !== 'string' || typeof clientSecret !== 'string')
    throw bad('the credential file has no client_id and client_secret; download it again');
  if (expires !== undefined && (typeof expires !== 'number' || !Number.isFinite(expires)))
    throw bad('the expiration_date of the credential file is no number of milliseconds');
  return credentialOf(clientId, clientSecret, expires);
}

/** @throws PluginError `validation` with code `BAD_CREDENTIAL` */
export function credentialOf(
  clientId: string,
  clientSecret: string,
  expiresMs?: number,
): Credential {
  if (clientId.trim() === '') throw bad('the client id is empty');
  // Half of all wrong secrets are cut short or hold a line break; others are base64.
  if (!/^(?:[0-9a-f]{2}){16,64}$/i.test(clientSecret))
    throw bad('the client secret is not hexadecimal; it has 64 characters, 0 to 9 and a to f');
  return { clientId, clientSecret, key: Buffer.from(clientSecret, 'hex'), expiresMs };
}

/** Whole days until the credential ends, negative afterwards; undefined when its end is not known. */
export function daysLeft({ expiresMs }: Credential, nowMs: number): number | undefined {
  return expiresMs === undefined ? undefined : Math.floor((expiresMs - nowMs) / DAY_MS);
}

/** @throws PluginError `auth` with code `CREDENTIAL_EXPIRED` */
export function expectValid(credential: Credential, nowMs: number): void {
  const { clientId, expiresMs } = credential;
  if (expiresMs === undefined || nowMs < expiresMs) return;
  throw new PluginError(
    'auth',
    `the credential ${clientId} expired on ${new Date(expiresMs).toISOString().slice(0, 10)}; make a new one at ` +
      'console.bloomberg.com and put its file in place of the old one',
    { code: 'CREDENTIAL_EXPIRED' },
  );
}

function fieldsOf(text: string): { readonly [name: string]: unknown } {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    // The parser's own message quotes the text, which is secret.
    throw bad('the credential file is not JSON; give its text as "${file:path/of/credential.txt}"');
  }
  if (typeof value === 'object' && value !== null && !Array.isArray(value))
    return value as { readonly [name: string]: unknown };
  throw bad('the credential file is not a JSON object; download it again');
}

function bad(what: string): PluginError {
  return new PluginError('validation', `config/credential: ${what}`, { code: 'BAD_CREDENTIAL' });
}
