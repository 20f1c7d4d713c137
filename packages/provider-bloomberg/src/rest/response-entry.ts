import { PluginError, type RemoteFile } from '@octo/plugin-api';
import { objectOf } from './collection.ts';

/** A delivered response as a listing tells it, and the same as an event announces it. */
export interface ResponseEntry {
  readonly key: string;
  /** What `Digest` promises, such as `sha512=…`. */
  readonly digest: string | undefined;
  /** Bytes of the content, decoded; undefined when the entry does not tell. */
  readonly size: number | undefined;
  /** Undefined when the entry does not tell: then nobody could know one version from the next. */
  readonly mtimeMs: number | undefined;
  /** Of the request that asked for it. */
  readonly requestId: string;
  readonly requestName: string;
  /** Words for the key template. */
  readonly fields: { readonly [name: string]: string };
}

/** @throws PluginError `provider_down` with code `BAD_LISTING` */
export function responseEntry(member: { readonly [name: string]: unknown }): ResponseEntry {
  const { key } = member;
  if (typeof key !== 'string' || key === '') throw badListing('an entry has no key');
  const headers = lowerCased(objectOf(member['headers']) ?? {});
  const metadata = objectOf(member['metadata']) ?? {};
  const mtimeMs = Date.parse(textOf(headers['last-modified']));
  const requestId = textOf(metadata['DL_REQUEST_ID']);
  return {
    key,
    digest: textOf(headers['digest']) || undefined,
    size: sizeIn(headers),
    mtimeMs: Number.isNaN(mtimeMs) ? undefined : mtimeMs,
    requestId,
    requestName: textOf(metadata['DL_REQUEST_NAME']),
    fields: fieldsOf(key, metadata),
  };
}

/** The file that the host delivers: its path is the key. */
export function remoteFile(entry: ResponseEntry, size: number): RemoteFile {
  const { fields, key, mtimeMs = 0 } = entry;
  const refused = refusalOf(entry);
  return {
    path: key,
    name: key.slice(key.lastIndexOf('/') + 1),
    size,
    mtimeMs,
    complete: true,
    fields,
    ...(refused !== undefined && { refused }),
  };
}

/** `2026-01-15T22:04:44` → `2026-01-15` and `220444`. */
function fieldsOf(
  key: string,
  metadata: { readonly [name: string]: unknown },
): { readonly [name: string]: string } {
  const requestId = textOf(metadata['DL_REQUEST_ID']) || (key.split('-')[0] ?? key);
  const snapshot = /^(\d{4}-\d{2}-\d{2})(?:T(\d{2}):(\d{2}):(\d{2}))?/.exec(
    textOf(metadata['DL_SNAPSHOT_START_TIME']),
  );
  const [, date, hours, minutes, seconds] = snapshot ?? [];
  const fields = {
    request: textOf(metadata['DL_REQUEST_NAME']) || requestId,
    requestId,
    requestType: textOf(metadata['DL_REQUEST_TYPE']),
    snapshotDate: date,
    snapshotTime: hours === undefined ? undefined : `${hours}${minutes}${seconds}`,
    timezone: textOf(metadata['DL_SNAPSHOT_TZ']),
  };
  const known = Object.entries(fields).filter(([, value]) => value !== undefined && value !== '');
  return Object.fromEntries(known) as { readonly [name: string]: string };
}

/** An entry with an encoding of its own gives the length of what is stored, not of what it says. */
function sizeIn(headers: { readonly [name: string]: unknown }): number | undefined {
  const encoding = textOf(headers['content-encoding']);
  if (encoding !== '' && encoding !== 'identity') return undefined;
  const size = Number(headers['content-length'] ?? Number.NaN);
  return Number.isSafeInteger(size) && size >= 0 ? size : undefined;
}

function refusalOf({ key, mtimeMs }: ResponseEntry): string | undefined {
  const name = key.slice(key.lastIndexOf('/') + 1);
  if (name === '' || name === '.' || name === '..' || /\p{C}/u.test(key))
    return `UNSAFE_NAME: the key ${shown(key)} cannot be the name of a file`;
  if (Buffer.byteLength(name) > MAX_NAME_BYTES)
    return `UNSAFE_NAME: the key ${shown(key)} is longer than ${MAX_NAME_BYTES} bytes`;
  if (mtimeMs === undefined)
    return `NO_TIME: the listing has no Last-Modified for ${shown(key)}; tell Bloomberg`;
  return undefined;
}

const MAX_NAME_BYTES = 255;

function lowerCased(headers: { readonly [name: string]: unknown }): typeof headers {
  return Object.fromEntries(
    Object.entries(headers).map(([name, value]) => [name.toLowerCase(), value]),
  );
}

function textOf(value: unknown): string {
  return typeof value === 'string' ? value : '';
}

function shown(key: string): string {
  return key.slice(0, MAX_NAME_BYTES).replaceAll(/\p{C}/gu, '?');
}

function badListing(what: string): PluginError {
  return new PluginError(
    'provider_down',
    `Bloomberg's listing of responses cannot be used: ${what}; it is tried again later`,
    { code: 'BAD_LISTING' },
  );
}
