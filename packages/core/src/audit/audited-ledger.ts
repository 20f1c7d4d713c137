import { attemptCount, type Delivery } from '../ledger/delivery.ts';
import type { Claim, RunLedger } from '../ledger/ledger.ts';
import type { AuditEntry } from './audit-trail.ts';

/** What a move of the ledger adds to the trail; the rest of the entry is the run's. */
export type Move = Pick<AuditEntry, 'action' | 'target' | 'details'>;

export interface MoveListener {
  /** It is written down in the background. */
  note(move: Move): void;
  /** Resolves when it is on disk. @throws OctoError `OCTO_AUDIT_UNAVAILABLE` */
  record(move: Move): Promise<void>;
}

/**
 * A run's ledger that tells each move that is final. The ledger decides what happened to a file, and whoever runs the
 * pipeline, in this process or in a worker, has to ask it: so this is what is written down, not what a plugin says. Where the
 * vendor's copy is about to be moved or deleted, that stands on disk first.
 */
export function auditedLedger(ledger: RunLedger, listener: MoveListener): RunLedger {
  const known = new Map<string, Delivery>();
  const learn = (deliveries: readonly Delivery[]) => {
    for (const one of deliveries) known.set(one.id, one);
  };
  const moved = (
    action: string,
    { id, attempt }: Claim,
    details: AuditEntry['details'] = {},
  ): Move => {
    const target = known.get(id)?.path;
    return {
      action,
      ...(target !== undefined && { target }),
      details: { delivery: id, attempt: Number(attemptCount(attempt)), ...details },
    };
  };
  return {
    ...forwarded(ledger),
    refuse: async (scope, versions) => {
      const refused = await ledger.refuse(scope, versions);
      for (const { id, attempt, path, reason = '' } of refused)
        listener.note({ ...moved('file.quarantine', { id, attempt }, { reason }), target: path });
      return refused;
    },
    claim: async (request) => {
      const claimed = await ledger.claim(request);
      if (claimed !== undefined) learn([claimed]);
      return claimed;
    },
    claimMany: async (request, most) => {
      const claimed = await ledger.claimMany(request, most);
      learn(claimed);
      return claimed;
    },
    nextKey: async (claim, keyAt) => {
      const objectKey = await ledger.nextKey(claim, keyAt);
      const before = known.get(claim.id);
      if (before !== undefined) learn([{ ...before, objectKey }]);
      return objectKey;
    },
    verified: async (claim, content, options) => {
      const answer = await ledger.verified(claim, content, options);
      const before = known.get(claim.id);
      if (before !== undefined && answer.answer === 'reserved')
        learn([{ ...before, verified: content }]);
      return answer;
    },
    committed: async (claim, commit) => {
      await ledger.committed(claim, commit);
      const move = moved('file.deliver', claim, {
        ...contentOf(known.get(claim.id)),
        how: commit.how,
      });
      if (commit.clean === true) {
        listener.note(move);
        known.delete(claim.id);
      } else await listener.record(move);
    },
    duplicate: async (claim, holder, rawSha256) => {
      const isOne = await ledger.duplicate(claim, holder, rawSha256);
      if (isOne) listener.note(moved('file.duplicate', claim, { of: holder }));
      return isOne;
    },
    exit: async (claim, state, reason) => {
      await ledger.exit(claim, state, reason);
      const action = state === 'QUARANTINED' ? 'file.quarantine' : 'file.supersede';
      listener.note(moved(action, claim, { reason }));
    },
    uncleaned: async (scope, limit) => {
      const found = await ledger.uncleaned(scope, limit);
      learn(found);
      return found;
    },
    cleaned: async (id, location) => {
      await ledger.cleaned(id, location);
      const attempt = known.get(id)?.attempt ?? 0n;
      const details = location === undefined ? {} : { location };
      listener.note(moved('vendor.clean', { id, attempt }, details));
      known.delete(id);
    },
  };
}

function contentOf(delivery: Delivery | undefined): NonNullable<AuditEntry['details']> {
  const { objectKey, sink, verified } = delivery ?? {};
  return {
    ...(objectKey !== undefined && { key: objectKey }),
    ...(sink !== undefined && { sink }),
    ...(verified !== undefined && {
      bytes: verified.plainBytes,
      sha256: verified.plainSha256.toString('hex'),
    }),
  };
}

/** What says nothing that must be kept. */
function forwarded(ledger: RunLedger): RunLedger {
  return {
    discover: (...args) => ledger.discover(...args),
    refuse: (...args) => ledger.refuse(...args),
    claim: (...args) => ledger.claim(...args),
    claimMany: (...args) => ledger.claimMany(...args),
    renew: (...args) => ledger.renew(...args),
    fenced: (...args) => ledger.fenced(...args),
    streaming: (...args) => ledger.streaming(...args),
    verified: (...args) => ledger.verified(...args),
    wait: (...args) => ledger.wait(...args),
    duplicate: (...args) => ledger.duplicate(...args),
    nextKey: (...args) => ledger.nextKey(...args),
    committed: (...args) => ledger.committed(...args),
    exit: (...args) => ledger.exit(...args),
    park: (...args) => ledger.park(...args),
    cleaned: (...args) => ledger.cleaned(...args),
    uncleaned: (...args) => ledger.uncleaned(...args),
    countOpen: (...args) => ledger.countOpen(...args),
    find: (...args) => ledger.find(...args),
    group: (...args) => ledger.group(...args),
    liveUploads: (...args) => ledger.liveUploads(...args),
    list: (...args) => ledger.list(...args),
    note: (...args) => ledger.note(...args),
    sight: (...args) => ledger.sight(...args),
    lockPlace: (...args) => ledger.lockPlace(...args),
    [Symbol.asyncDispose]: () => ledger[Symbol.asyncDispose](),
  };
}
