/** The files that Bloomberg delivered for an account: content, the bytes of its gzip, and what the listing tells. */
import { createHash } from 'node:crypto';
import { gzipSync } from 'node:zlib';

/** A response that the simulator shall deliver. */
export interface BloombergResponse {
  /** `<request>-<timestamp>.csv`, `.json` or `.bbg`. */
  readonly key: string;
  readonly body: string | Uint8Array;
  /** Default: by the key's ending. */
  readonly contentType?: string;
  /** `DL_REQUEST_ID`. Default: the key up to its first hyphen. */
  readonly requestId?: string;
  /** `DL_REQUEST_NAME`. Default: empty, as for a request without a name. */
  readonly requestName?: string;
  /** `DL_REQUEST_TYPE`. Default `DataRequest`. */
  readonly requestType?: string;
  /** Over which bytes `Digest` is, when there is one. Default `decoded`. */
  readonly digest?: 'decoded' | 'gzip' | 'absent';
  /** Default: now. Told in whole seconds. */
  readonly modifiedMs?: number;
  /** `DL_SNAPSHOT_START_TIME`. Default: now. */
  readonly snapshotMs?: number;
  /** `false`: it is listed, and no event tells of it. */
  readonly announced?: boolean;
}

export interface StoredResponse extends Required<Omit<BloombergResponse, 'body' | 'announced'>> {
  readonly body: Buffer;
  /** Always the same bytes, so that ranges of it fit together. */
  readonly gzip: Buffer;
  /** Base64. */
  readonly sha512: string;
}

/** What a listing says of a response, and the event of its delivery. */
export interface ListedResponse {
  readonly key: string;
  readonly headers: { readonly [name: string]: number | string };
  readonly metadata: { readonly [name: string]: string };
}

export class ResponseStore {
  readonly #byKey = new Map<string, StoredResponse>();

  put(response: BloombergResponse, nowMs: number): StoredResponse {
    const stored = storedFrom(response, nowMs);
    this.#byKey.set(stored.key, stored);
    return stored;
  }

  get(key: string): StoredResponse | undefined {
    return this.#byKey.get(key);
  }

  /** The same response with other bytes, and younger. @throws Error when there is none */
  reissue(key: string, body: string | Uint8Array, nowMs: number): BloombergResponse {
    const old = this.#byKey.get(key);
    if (old === undefined) throw new Error(`no response ${key} was published`);
    const { contentType, digest, requestId, requestName, requestType, snapshotMs } = old;
    const modifiedMs = Math.max(nowMs, old.modifiedMs + 1000);
    const same = { contentType, digest, requestId, requestName, requestType, snapshotMs };
    return { key, body, modifiedMs, ...same };
  }

  delete(key: string): void {
    this.#byKey.delete(key);
  }

  all(): StoredResponse[] {
    return [...this.#byKey.values()];
  }
}

/** @param wrongDigest whether the digest shall be of other bytes */
export function listed(response: StoredResponse, wrongDigest: boolean): ListedResponse {
  const { key, requestId, requestName, requestType, snapshotMs } = response;
  return {
    key,
    headers: {
      'Content-Type': response.contentType,
      'Content-Length': response.body.length,
      ...validators(response, wrongDigest),
    },
    metadata: {
      DL_REQUEST_ID: requestId,
      DL_REQUEST_NAME: requestName,
      DL_REQUEST_TYPE: requestType,
      DL_SNAPSHOT_START_TIME: new Date(snapshotMs).toISOString().slice(0, 19),
      DL_SNAPSHOT_TZ: 'Etc/UTC',
    },
  };
}

/** `Last-Modified`, and `Digest` unless there is none. */
export function validators(
  response: StoredResponse,
  wrongDigest: boolean,
): { [name: string]: string } {
  const lastModified = { 'Last-Modified': new Date(response.modifiedMs).toUTCString() };
  if (response.digest === 'absent') return lastModified;
  const value = wrongDigest ? sha512Of(Buffer.from(response.sha512)) : response.sha512;
  return { ...lastModified, Digest: `sha512=${value}` };
}

function sha512Of(bytes: Uint8Array): string {
  return createHash('sha512').update(bytes).digest('base64');
}

function storedFrom(response: BloombergResponse, nowMs: number): StoredResponse {
  const { key } = response;
  const body = Buffer.from(response.body as string);
  const requestId = response.requestId ?? key.split('-')[0] ?? key;
  let gzip: Buffer | undefined;
  let sha512: string | undefined;
  return {
    key,
    body,
    get gzip() {
      return (gzip ??= gzipSync(body));
    },
    get sha512() {
      return (sha512 ??= sha512Of(this.digest === 'gzip' ? this.gzip : body));
    },
    contentType: response.contentType ?? contentTypeOf(key),
    requestId,
    requestName: response.requestName ?? '',
    requestType: response.requestType ?? 'DataRequest',
    digest: response.digest ?? 'decoded',
    modifiedMs: Math.floor((response.modifiedMs ?? nowMs) / 1000) * 1000,
    snapshotMs: response.snapshotMs ?? nowMs,
  };
}

function contentTypeOf(key: string): string {
  return CONTENT_TYPES[key.slice(key.lastIndexOf('.') + 1)] ?? 'application/octet-stream';
}

const CONTENT_TYPES: { readonly [ending: string]: string } = {
  csv: 'text/csv',
  json: 'application/json',
  bbg: 'text/vnd.blp.dl.std',
  parquet: 'application/vnd.apache.parquet',
  zip: 'application/zip',
  tar: 'application/x-tar',
};
