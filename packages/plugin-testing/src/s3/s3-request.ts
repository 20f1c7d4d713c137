/** A request as it came over the wire, with its address taken apart but nothing believed yet. */
import type { IncomingMessage } from 'node:http';
import { S3Error } from './s3-error.ts';

export interface S3Request {
  readonly method: string;
  /** Undefined for the service itself. */
  readonly bucket: string | undefined;
  /** Undefined for the bucket itself. */
  readonly key: string | undefined;
  /** Decoded, in the order of the address. */
  readonly query: ReadonlyMap<string, string>;
  /** Decoded path, for the canonical request. */
  readonly path: string;
  readonly headers: { readonly [name: string]: string };
  readonly stream: IncomingMessage;
}

/** @throws S3Error InvalidURI */
export function parseRequest(stream: IncomingMessage): S3Request {
  const [rawPath, rawQuery = ''] = splitOnce(stream.url ?? '/', '?');
  const path = decode(rawPath);
  const [bucket, key] = splitOnce(path.slice(1), '/');
  return {
    method: stream.method ?? 'GET',
    bucket: bucket === '' ? undefined : bucket,
    key: key === '' ? undefined : key,
    query: parseQuery(rawQuery),
    path,
    headers: headersOf(stream),
    stream,
  };
}

function parseQuery(raw: string): Map<string, string> {
  const pairs = raw.split('&').filter((pair) => pair !== '');
  return new Map(
    pairs.map((pair) => {
      const [name, value = ''] = splitOnce(pair, '=');
      return [decode(name), decode(value)];
    }),
  );
}

function headersOf(stream: IncomingMessage): { [name: string]: string } {
  const headers: { [name: string]: string } = {};
  for (const [name, value] of Object.entries(stream.headers)) {
    headers[name] = Array.isArray(value) ? value.join(',') : (value ?? '');
  }
  return headers;
}

function splitOnce(text: string, separator: string): [string, string | undefined] {
  const at = text.indexOf(separator);
  return at < 0 ? [text, undefined] : [text.slice(0, at), text.slice(at + separator.length)];
}

function decode(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch (cause) {
    throw new S3Error(400, 'InvalidURI', `Couldn't parse the specified URI: ${String(cause)}`);
  }
}
