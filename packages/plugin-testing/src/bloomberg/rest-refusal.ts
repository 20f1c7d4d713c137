/** Answers that refuse, in the two envelopes of Bloomberg: the service's own, and that of the gateway before it. */
import { STATUS_CODES } from 'node:http';

/** One entry of the service's `errors`. */
export interface RefusalDetail {
  readonly detail: string;
  /** JSON pointer into the body, or the name of the parameter. */
  readonly pointer: string;
  readonly location: 'body' | 'query' | 'path' | 'header';
}

/** A call that the service refuses. */
export class RestRefusal extends Error {
  readonly status: number;
  readonly errors: readonly RefusalDetail[];

  constructor(status: number, description: string, errors: readonly RefusalDetail[] = []) {
    super(description);
    this.name = 'RestRefusal';
    this.status = status;
    this.errors = errors;
  }
}

/** A call that does not get as far as the service. */
export class GatewayRefusal extends Error {
  readonly status: number;

  constructor(status: number, description: string) {
    super(description);
    this.name = 'GatewayRefusal';
    this.status = status;
  }
}

/** The body of a {@link RestRefusal}. */
export function serviceEnvelope(refusal: RestRefusal): object {
  return {
    '@context': { '@vocab': 'https://api.bloomberg.com/eap/ontology#' },
    '@type': 'Status',
    statusCode: refusal.status,
    title: titleOf(refusal.status),
    description: refusal.message,
    errors: refusal.errors.map(({ detail, pointer, location }) => ({
      detail,
      source: { pointer, location },
    })),
  };
}

/** The body of a {@link GatewayRefusal}. */
export function gatewayEnvelope(refusal: GatewayRefusal, id: string, nowMs: number): object {
  const { error, errorCode } = GATEWAY_CODES[refusal.status] ?? UNKNOWN_CODE;
  return {
    error,
    error_description: refusal.message,
    errors: [
      {
        id,
        title: titleOf(refusal.status),
        detail: refusal.message,
        status: String(refusal.status),
        errorCode,
        meta: { 'server-time': new Date(nowMs).toISOString() },
      },
    ],
  };
}

/** The reason phrase of a status. */
export function titleOf(status: number): string {
  return STATUS_CODES[status] ?? 'Error';
}

const UNKNOWN_CODE = { error: 'server_error', errorCode: 'server-error' };
const GATEWAY_CODES: { readonly [status: number]: typeof UNKNOWN_CODE } = {
  401: { error: 'unauthorized_client', errorCode: 'unauthorized-client' },
  403: { error: 'access_denied', errorCode: 'forbidden' },
  429: { error: 'too_many_requests', errorCode: 'too-many-requests' },
};
