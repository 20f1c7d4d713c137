import { isPluginError, PluginError, type PluginErrorType } from '@octo/plugin-api';

/** docs.aws.amazon.com/secretsmanager/latest/apireference/API_GetSecretValue.html, and its CommonErrors.html */
const TYPES: { readonly [code: string]: PluginErrorType } = {
  ResourceNotFoundException: 'not_found',
  InvalidParameterException: 'validation',
  InvalidRequestException: 'not_found',
  ValidationException: 'validation',
  DecryptionFailure: 'auth',
  AccessDeniedException: 'auth',
  CredentialsProviderError: 'auth',
  ExpiredTokenException: 'auth',
  IncompleteSignature: 'auth',
  InvalidClientTokenId: 'auth',
  InvalidSignatureException: 'auth',
  MissingAuthenticationToken: 'auth',
  OptInRequired: 'auth',
  SignatureDoesNotMatch: 'auth',
  UnrecognizedClientException: 'auth',
  InternalServiceError: 'provider_down',
  InternalFailure: 'provider_down',
  ServiceUnavailable: 'provider_down',
  LimitExceededException: 'rate_limit',
  Throttling: 'rate_limit',
  ThrottlingException: 'rate_limit',
  TooManyRequestsException: 'rate_limit',
};

const ADVICE: Partial<Readonly<Record<PluginErrorType, string>>> = {
  auth: '; this role needs secretsmanager:GetSecretValue on it, and kms:Decrypt on its key',
  not_found: '; check its name, the region and the version stage',
};

interface SdkError {
  readonly name?: string;
  readonly message?: string;
  readonly code?: unknown;
  readonly $metadata?: { readonly httpStatusCode?: number };
}

/** What an error of the SDK, of AWS or of the network means in the host's terms. Its message says which secret, never a value. */
export function classifyError(error: unknown, secretId: string): PluginError {
  if (isPluginError(error)) return error;
  const { name = '', message, code: system, $metadata } = (error ?? {}) as SdkError;
  const named = name === '' || name === 'Error' || name === 'TypeError' ? system : name;
  const code = typeof named === 'string' ? named : '';
  const status = $metadata?.httpStatusCode;
  const type = TYPES[code] ?? typeOf(status);
  const said = [code || `HTTP ${status ?? 'none'}`, message].filter(Boolean).join(': ');
  return new PluginError(type, `${secretId}: ${said}${ADVICE[type] ?? ''}`, {
    cause: error,
    code: code.replaceAll(/(?<=[a-z])(?=[A-Z])/g, '_').toUpperCase() || `HTTP_${status ?? 0}`,
  });
}

function typeOf(status: number | undefined): PluginErrorType {
  if (status === undefined) return 'network';
  if (status === 401 || status === 403) return 'auth';
  if (status === 404) return 'not_found';
  if (status === 429) return 'rate_limit';
  // An answer that says "done" and cannot be read tells as little as a broken server.
  return status >= 500 || status < 300 ? 'provider_down' : 'validation';
}
