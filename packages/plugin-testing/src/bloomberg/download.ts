/** The download of one response: plain, or gzip with byte ranges of the gzip. Plain ranges are ignored, as at Bloomberg. */
import type { BloombergRestFaults } from './rest-faults.ts';
import type { RestAnswer, RestCall } from './rest-call.ts';
import { RestRefusal } from './rest-refusal.ts';
import { validators, type StoredResponse } from './response-store.ts';

export function download(
  response: StoredResponse,
  { headers, method }: RestCall,
  faults: BloombergRestFaults,
): RestAnswer {
  const gzip = acceptsGzip(headers['accept-encoding']) && !faults.withoutGzip;
  if (gzip && isArchive(response)) {
    throw new RestRefusal(406, 'Archives are sent with Accept-Encoding: identity only.');
  }
  const told = {
    'content-type': response.contentType,
    ...validators(response, faults.digestIsWrong(response.key)),
  };
  if (!gzip) return whole(response, response.body, told, { method, faults });
  const encoded = { ...told, 'content-encoding': 'gzip', 'accept-ranges': 'bytes' };
  const range = faults.ignoreRanges ? undefined : rangeOf(headers['range'], response.gzip.length);
  if (range === undefined) return whole(response, response.gzip, encoded, { method, faults });
  return part(response, range, encoded, { method, faults });
}

interface Sending {
  readonly method: string;
  readonly faults: BloombergRestFaults;
}

type Headers = { readonly [name: string]: string };

/** A range of bytes, the end excluded; `nowhere` when it lies behind the last one. */
type Range = { readonly from: number; readonly to: number } | 'nowhere';

function whole(
  { key }: StoredResponse,
  bytes: Buffer,
  told: Headers,
  { method, faults }: Sending,
): RestAnswer {
  const headers = { ...told, 'content-length': String(bytes.length) };
  if (method === 'HEAD') return { status: 200, headers };
  return { status: 200, headers, body: bytes, ...cutOf(key, faults) };
}

function part(
  { gzip, key }: StoredResponse,
  range: Range,
  told: Headers,
  { method, faults }: Sending,
): RestAnswer {
  const total = gzip.length;
  if (range === 'nowhere') {
    return { status: 416, headers: { 'content-range': `bytes */${total}`, 'content-length': '0' } };
  }
  const { from, to } = range;
  const headers = {
    ...told,
    'content-range': `bytes ${from}-${to - 1}/${total}`,
    'content-length': String(to - from),
  };
  if (method === 'HEAD') return { status: 206, headers };
  return { status: 206, headers, body: gzip.subarray(from, to), ...cutOf(key, faults) };
}

function cutOf(key: string, faults: BloombergRestFaults): Pick<RestAnswer, 'cut'> {
  const cut = faults.nextCut(key);
  return cut === undefined ? {} : { cut };
}

/** Several ranges and other units are ignored, as the standard allows: the answer is the whole. */
function rangeOf(header: string | undefined, size: number): Range | undefined {
  const [matched, first = '', last = ''] = /^bytes=(\d*)-(\d*)$/.exec(header?.trim() ?? '') ?? [];
  if (matched === undefined || (first === '' && last === '')) return undefined;
  if (first === '') {
    const suffix = Math.min(Number(last), size);
    return suffix === 0 ? 'nowhere' : { from: size - suffix, to: size };
  }
  const from = Number(first);
  const to = last === '' ? size : Math.min(Number(last) + 1, size);
  if (last !== '' && Number(last) < from) return undefined;
  return from >= size ? 'nowhere' : { from, to };
}

function acceptsGzip(header = ''): boolean {
  return header.split(',').some((one) => /^\s*gzip\s*(;\s*q=(?!0(\.0*)?\s*$).*)?$/i.test(one));
}

function isArchive({ contentType }: StoredResponse): boolean {
  return ARCHIVES.has(contentType);
}

const ARCHIVES = new Set([
  'application/vnd.apache.parquet',
  'application/x-tar',
  'application/zip',
]);
