/**
 * Signature version 4 in the Authorization header, checked to the last byte.
 * docs.aws.amazon.com/AmazonS3/latest/API/sig-v4-header-based-auth.html
 */
import { createHash, createHmac, timingSafeEqual } from 'node:crypto';
import { S3Error } from './s3-error.ts';
import type { S3Request } from './s3-request.ts';

export interface S3Credentials {
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  readonly sessionToken?: string;
}

/** What later chunk signatures are made from. */
export interface VerifiedSignature {
  readonly signature: string;
  readonly signingKey: Buffer;
  /** `20250101T000000Z` */
  readonly timestamp: string;
  /** `20250101/us-east-1/s3/aws4_request` */
  readonly scope: string;
  /** The signed `x-amz-content-sha256`: a hash in hex, `UNSIGNED-PAYLOAD` or `STREAMING-…`. */
  readonly payload: string;
  readonly accessKeyId: string;
}

export interface VerifyOptions {
  readonly region: string;
  /** Milliseconds since the Unix epoch. */
  readonly now: number;
  readonly credentials: readonly S3Credentials[];
  /** Session tokens that were good once. */
  readonly expiredTokens: ReadonlySet<string>;
}

/** S3 refuses requests whose date is further away from its own. docs.aws.amazon.com/AmazonS3/latest/API/ErrorResponses.html */
const MAX_SKEW_MS = 15 * 60 * 1000;
const AUTHORIZATION =
  /^AWS4-HMAC-SHA256 Credential=([^/]+)\/(\d{8})\/([^/]+)\/([^/]+)\/aws4_request, ?SignedHeaders=([^,]+), ?Signature=([0-9a-f]{64})$/;
const PAYLOADS =
  /^([0-9a-f]{64}|UNSIGNED-PAYLOAD|STREAMING-UNSIGNED-PAYLOAD-TRAILER|STREAMING-AWS4-HMAC-SHA256-PAYLOAD(-TRAILER)?)$/;

/**
 * @throws S3Error AccessDenied, AuthorizationHeaderMalformed, InvalidAccessKeyId, InvalidToken, ExpiredToken,
 *   RequestTimeTooSkewed, SignatureDoesNotMatch
 */
export function verifySignature(request: S3Request, options: VerifyOptions): VerifiedSignature {
  const header = request.headers['authorization'];
  if (header === undefined) throw new S3Error(403, 'AccessDenied', 'Access Denied');
  const match = AUTHORIZATION.exec(header);
  if (match === null) throw malformed('The authorization header is malformed.');
  const [, accessKeyId = '', day = '', region = '', service = '', names = '', given = ''] = match;
  const timestamp = request.headers['x-amz-date'] ?? '';
  checkTime(timestamp, day, options.now);
  if (region !== options.region || service !== 's3') {
    throw new S3Error(
      400,
      'AuthorizationHeaderMalformed',
      `The authorization header is malformed; the region '${region}' is wrong; expecting '${options.region}'`,
      { Region: options.region },
    );
  }
  const credentials = knownCredentials(accessKeyId, request, options);
  const signedNames = names.split(';');
  checkSignedNames(signedNames, request);
  const payload = request.headers['x-amz-content-sha256'] ?? '';
  if (!PAYLOADS.test(payload)) {
    throw new S3Error(400, 'InvalidRequest', 'Missing or invalid header: x-amz-content-sha256');
  }
  const scope = `${day}/${region}/s3/aws4_request`;
  const signingKey = deriveKey(credentials.secretAccessKey, day, region);
  const canonical = canonicalRequest(request, signedNames, payload);
  const toSign = ['AWS4-HMAC-SHA256', timestamp, scope, sha256Hex(canonical)].join('\n');
  checkSignature(given, signingKey, toSign);
  return { signature: given, signingKey, timestamp, scope, payload, accessKeyId };
}

/** @throws S3Error SignatureDoesNotMatch */
export function checkSignature(given: string, signingKey: Buffer, toSign: string): void {
  const expected = createHmac('sha256', signingKey).update(toSign).digest();
  if (!timingSafeEqual(Buffer.from(given.padEnd(64, '0').slice(0, 64), 'hex'), expected)) {
    throw new S3Error(
      403,
      'SignatureDoesNotMatch',
      'The request signature we calculated does not match the signature you provided. Check your key and signing method.',
    );
  }
}

export function sha256Hex(data: string | Uint8Array): string {
  return createHash('sha256').update(data).digest('hex');
}

function checkTime(timestamp: string, day: string, now: number): void {
  const parts = /^(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)Z$/.exec(timestamp);
  if (parts === null) {
    throw new S3Error(
      403,
      'AccessDenied',
      'AWS authentication requires a valid Date or x-amz-date header',
    );
  }
  if (!timestamp.startsWith(day)) throw malformed('Invalid credential date.');
  const [year, month, date, hour, minute, second] = parts.slice(1).map(Number) as [
    number,
    number,
    number,
    number,
    number,
    number,
  ];
  const requested = Date.UTC(year, month - 1, date, hour, minute, second);
  if (Math.abs(requested - now) <= MAX_SKEW_MS) return;
  throw new S3Error(
    403,
    'RequestTimeTooSkewed',
    "The difference between the request time and the server's time is too large.",
    {
      RequestTime: timestamp,
      ServerTime: new Date(now).toISOString(),
      MaxAllowedSkewMilliseconds: String(MAX_SKEW_MS),
    },
  );
}

function knownCredentials(id: string, request: S3Request, options: VerifyOptions): S3Credentials {
  const known = options.credentials.filter((one) => one.accessKeyId === id);
  if (known.length === 0) {
    throw new S3Error(
      403,
      'InvalidAccessKeyId',
      'The AWS Access Key Id you provided does not exist in our records.',
      { AWSAccessKeyId: id },
    );
  }
  const token = request.headers['x-amz-security-token'];
  if (token !== undefined && options.expiredTokens.has(token)) {
    throw new S3Error(400, 'ExpiredToken', 'The provided token has expired.');
  }
  const match = known.find((one) => one.sessionToken === token);
  if (match === undefined) {
    throw new S3Error(400, 'InvalidToken', 'The provided token is malformed or otherwise invalid.');
  }
  return match;
}

function checkSignedNames(names: readonly string[], request: S3Request): void {
  const signed = new Set(names);
  const wanted = Object.keys(request.headers).filter(
    (name) => name === 'host' || name === 'content-md5' || name.startsWith('x-amz-'),
  );
  const forgotten = wanted.filter((name) => !signed.has(name));
  if (forgotten.length > 0 || !signed.has('host')) {
    throw new S3Error(
      403,
      'AccessDenied',
      'There were headers present in the request which were not signed',
      { HeadersNotSigned: forgotten.join(', ') },
    );
  }
}

function canonicalRequest(request: S3Request, names: readonly string[], payload: string): string {
  const query = [...request.query]
    .map(([name, value]) => [encode(name), encode(value)] as const)
    .toSorted(([a], [b]) => (a < b ? -1 : 1))
    .map((pair) => pair.join('='));
  const headers = names.map(
    (name) => `${name}:${(request.headers[name] ?? '').trim().replaceAll(/\s+/g, ' ')}\n`,
  );
  return [
    request.method,
    request.path.split('/').map(encode).join('/'),
    query.join('&'),
    headers.join(''),
    names.join(';'),
    payload,
  ].join('\n');
}

function deriveKey(secret: string, day: string, region: string): Buffer {
  return [day, region, 's3', 'aws4_request'].reduce(
    (key, word) => createHmac('sha256', key).update(word).digest(),
    Buffer.from(`AWS4${secret}`),
  );
}

function encode(text: string): string {
  return encodeURIComponent(text).replaceAll(
    /[!'()*]/g,
    (character) => `%${character.charCodeAt(0).toString(16).toUpperCase()}`,
  );
}

function malformed(message: string): S3Error {
  return new S3Error(400, 'AuthorizationHeaderMalformed', message);
}
