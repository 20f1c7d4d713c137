/** What an error of the SDK, of the store or of the network means in the host's terms. */
import { isPluginError, PluginError, type PluginErrorType } from '@octo/plugin-api';

/** Every request that this sink makes, with the permission that it needs. */
export const PERMISSIONS = {
  AbortMultipartUpload: 's3:AbortMultipartUpload',
  CompleteMultipartUpload: 's3:PutObject',
  CreateMultipartUpload: 's3:PutObject',
  DeleteObject: 's3:DeleteObject',
  HeadObject: 's3:GetObject',
  ListMultipartUploads: 's3:ListBucketMultipartUploads',
  ListObjectsV2: 's3:ListBucket',
  PutObjectTagging: 's3:PutObjectTagging',
  UploadPart: 's3:PutObject',
} as const;
export type S3Request = keyof typeof PERMISSIONS;

export interface RequestInWords {
  readonly request: S3Request;
  readonly bucket: string;
  /** Undefined for a request to the bucket. */
  readonly key: string | undefined;
}

interface SdkError {
  readonly name?: string;
  readonly message?: string;
  readonly code?: unknown;
  readonly $metadata?: { readonly httpStatusCode?: number };
  readonly $response?: { readonly headers?: { readonly [name: string]: string } };
}

/** By the code of the store or the SDK; what is not here is told by its status. docs.aws.amazon.com/AmazonS3/latest/API/ErrorResponses.html */
const TYPES: { readonly [code: string]: PluginErrorType } = {
  AccessDenied: 'auth',
  AllAccessDisabled: 'auth',
  AuthorizationHeaderMalformed: 'auth',
  CredentialsProviderError: 'auth',
  ExpiredToken: 'auth',
  IllegalLocationConstraintException: 'auth',
  InvalidAccessKeyId: 'auth',
  InvalidToken: 'auth',
  // Not 'not_found': that would say that the object is not there, and nothing is known of it.
  NoSuchBucket: 'auth',
  PermanentRedirect: 'auth',
  RequestTimeTooSkewed: 'auth',
  SignatureDoesNotMatch: 'auth',
  TokenRefreshRequired: 'auth',
  BadDigest: 'integrity',
  EntityTooSmall: 'integrity',
  InvalidDigest: 'integrity',
  InvalidPart: 'integrity',
  InvalidPartOrder: 'integrity',
  XAmzContentChecksumMismatch: 'integrity',
  XAmzContentSHA256Mismatch: 'integrity',
  NoSuchKey: 'not_found',
  NoSuchUpload: 'not_found',
  NotFound: 'not_found',
  RequestLimitExceeded: 'rate_limit',
  SlowDown: 'rate_limit',
  Throttling: 'rate_limit',
  ThrottlingException: 'rate_limit',
  TooManyRequestsException: 'rate_limit',
  IncompleteBody: 'network',
  RequestTimeout: 'network',
  TimeoutError: 'network',
  ConditionalRequestConflict: 'provider_down',
  InternalError: 'provider_down',
  OperationAborted: 'provider_down',
  ServiceUnavailable: 'provider_down',
};

/** The code of an error as the store spelt it, such as `NoSuchUpload`; empty when it has none. */
export function storeCode(error: unknown): string {
  const { name = '', code } = (error ?? {}) as SdkError;
  const named = NAMELESS.has(name) ? '' : name;
  return named === '' && typeof code === 'string' ? code : named;
}

/** What errors without a code of the store are called; `Unknown` is the SDK's word for an answer without a body. */
const NAMELESS = new Set(['Error', 'AggregateError', 'TypeError', 'Unknown', 'UnknownError']);

/** The HTTP status of an error, when there was an answer at all. */
export function storeStatus(error: unknown): number | undefined {
  return (error as SdkError | undefined)?.$metadata?.httpStatusCode;
}

/** The error as a {@link PluginError}; its code is the store's code in upper case. */
export function classifyError(error: unknown, request: RequestInWords): PluginError {
  if (isPluginError(error)) return error;
  const code = storeCode(error);
  const status = storeStatus(error);
  const type = typeOf(code, status);
  const retryAfterMs = retryAfter(error as SdkError);
  return new PluginError(type, inWords(error as SdkError, code, status, type, request), {
    cause: error,
    code: upperSnake(code || (status === 403 ? 'AccessDenied' : `HTTP${status ?? ''}`)),
    ...(retryAfterMs !== undefined && { retryAfterMs }),
  });
}

function typeOf(code: string, status: number | undefined): PluginErrorType {
  const known = TYPES[code];
  if (known !== undefined) return known;
  if (status === undefined) return 'network';
  if (status === 401 || status === 403) return 'auth';
  if (status === 404) return 'not_found';
  if (status === 429) return 'rate_limit';
  if (status === 501) return 'validation';
  // An answer that says "done" and cannot be read tells as little as a broken server.
  if (status >= 500 || status < 300) return 'provider_down';
  return 'validation';
}

function inWords(
  error: SdkError,
  code: string,
  status: number | undefined,
  type: PluginErrorType,
  { request, bucket, key }: RequestInWords,
): string {
  const about = key === undefined || ABOUT_BUCKETS.has(code) ? '' : `/${key}`;
  const where = `s3://${bucket}${about}`;
  const message = NAMELESS.has(error.message ?? '') ? '' : error.message;
  const said = [code === '' ? `HTTP ${status ?? 'none'}` : code, message].filter(Boolean);
  const advice = adviceFor(code, type, request, bucket);
  return `${where}: ${request} failed: ${[...new Set(said)].join(': ')}${advice === '' ? '' : ` — ${advice}`}`;
}

const ABOUT_BUCKETS = new Set([
  'NoSuchBucket',
  'AuthorizationHeaderMalformed',
  'PermanentRedirect',
]);

function adviceFor(
  code: string,
  type: PluginErrorType,
  request: S3Request,
  bucket: string,
): string {
  switch (code) {
    case 'NoSuchBucket':
      return `create the bucket ${bucket}, or correct config/bucket and config/region`;
    case 'InvalidAccessKeyId':
    case 'SignatureDoesNotMatch':
    case 'InvalidToken':
      return 'correct config/credentials';
    case 'ExpiredToken':
    case 'TokenRefreshRequired':
      return 'renew the session credentials';
    case 'CredentialsProviderError':
      return 'give config/credentials, or let the plugin look where the AWS SDK does: "allow": { "env": ["AWS_*"], "read": ["~/.aws"] } beside its config';
    case 'RequestTimeTooSkewed':
      return "set this machine's clock";
    case 'PermanentRedirect':
    case 'AuthorizationHeaderMalformed':
    case 'IllegalLocationConstraintException':
      return "set config/region to the bucket's region";
    case 'NotImplemented':
      return "this store lacks it; config/checksums 'md5' or 'none' may help";
    case 'ECONNREFUSED':
      return 'nothing listens there: correct config/endpoint, or the store is down';
    case 'ENOTFOUND':
      return 'the host name does not exist: correct config/endpoint or config/region';
    default:
      return type === 'auth' ? `grant ${PERMISSIONS[request]} to these credentials` : '';
  }
}

function retryAfter(error: SdkError): number | undefined {
  const seconds = Number(error.$response?.headers?.['retry-after'] ?? Number.NaN);
  return Number.isFinite(seconds) && seconds >= 0 ? seconds * 1000 : undefined;
}

function upperSnake(code: string): string {
  return code
    .replaceAll(/([a-z0-9])([A-Z])/g, '$1_$2')
    .replaceAll(/\W+/g, '_')
    .toUpperCase();
}
