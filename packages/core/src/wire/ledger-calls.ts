import type { SourceVersion } from '../ledger/delivery.ts';
import {
  anything,
  bigInt,
  bytes,
  count,
  fields,
  flag,
  list,
  number,
  oneOf,
  optional,
  record,
  type Shaped,
  text,
  tuple,
} from './shape.ts';

/** Files in one statement that lists them: a frame stays short, and so does a transaction. */
export const MOST_VERSIONS = 1000;
const MOST_IDS = 1_000_000;

const scope = fields({ pipeline: text, sink: text });
const claim = fields({ id: text, attempt: bigInt });
const version = { path: text, name: text, size: count, mtimeMs: number, location: text };
const onReissue = oneOf('version', 'overwrite', 'quarantine');
const claimRequest = fields({
  pipeline: text,
  sink: text,
  leaseMs: count,
  ids: optional(list(text, MOST_IDS)),
  exclude: optional(list(text, MOST_IDS)),
  maxBytes: optional(count),
  onReissue,
});
const state = oneOf(
  'DISCOVERED',
  'CLAIMED',
  'STREAMING',
  'VERIFIED',
  'WAITING',
  'COMMITTED',
  'CLEANED',
  'DUPLICATE_OF',
  'QUARANTINED',
  'SUPERSEDED',
);
const verified = fields({
  rawSha256: bytes,
  plainSha256: bytes,
  plainBytes: count,
  plainCrc64: bytes,
});

/** What a worker may ask of the ledger, by the names of `Ledger`, with the arguments of each. */
export const ledgerCalls = {
  discover: tuple(
    scope,
    list(fields({ ...version, group: optional(text), key: text }), MOST_VERSIONS),
  ),
  refuse: tuple(scope, list(fields({ ...version, reason: text }), MOST_VERSIONS)),
  sight: tuple(scope, list(fields(version), MOST_VERSIONS), number),
  claim: tuple(claimRequest),
  claimMany: tuple(claimRequest, count),
  renew: tuple(claim, count),
  fenced: tuple(claim),
  streaming: tuple(claim, fields({ id: text, token: text })),
  verified: tuple(
    claim,
    verified,
    fields({
      duplicates: oneOf('name', 'pipeline', 'off'),
      facts: record(anything, 10_000),
      refuseReissue: flag,
    }),
  ),
  wait: tuple(claim, text, bytes),
  duplicate: tuple(claim, text, bytes),
  nextKey: tuple(claim),
  committed: tuple(
    claim,
    fields({
      etag: optional(text),
      versionId: optional(text),
      how: oneOf('acknowledged', 'adopted'),
      clean: optional(flag),
    }),
  ),
  exit: tuple(claim, oneOf('QUARANTINED', 'SUPERSEDED'), text),
  park: tuple(claim, text, count),
  cleaned: tuple(text, optional(text)),
  uncleaned: tuple(scope, count),
  countOpen: tuple(scope),
  find: tuple(text),
  group: tuple(scope, text),
  liveUploads: tuple(text),
  list: tuple(fields({ pipeline: text, states: optional(list(state, 10)), limit: count })),
  note: tuple(text, text, optional(text)),
  lockPlace: tuple(text),
  unlockPlace: tuple(text),
} as const;

export type LedgerCall = keyof typeof ledgerCalls;
export type ArgsOf<C extends LedgerCall> = Shaped<(typeof ledgerCalls)[C]>;

/** What of a version crosses: listings carry more than the ledger asks for. */
export function bareVersion({ path, name, size, mtimeMs, location }: SourceVersion): SourceVersion {
  return { path, name, size, mtimeMs, location };
}
