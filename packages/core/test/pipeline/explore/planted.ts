import type { Staged } from '@octo/plugin-api';
import { FencedOut } from '../../../src/ledger/fenced-out.ts';
import type { Claim } from '../../../src/ledger/ledger.ts';
import { over } from './over.ts';
import type { Scenario } from './protocol-world.ts';

type Plant = NonNullable<Scenario['plant']>;

/** Known ways of getting the protocol wrong. The explorer must find every one of them, or it proves nothing. */
export const planted = {
  /** Content is looked up but not reserved. */
  noReservation: {
    ledger: (ledger) =>
      over(ledger, {
        verified: (claim, content, options) =>
          ledger.verified(claim, content, { ...options, duplicates: 'off' }),
      }),
  },
  /** A takeover does not abort what the earlier attempt began. */
  noAbort: { sink: (sink) => over(sink, { abort: async () => {} }) },
  /** A takeover does not look at the key. */
  noLook: { sink: (sink) => over(sink, { head: async () => undefined }) },
  /** The object is put there whatever is there. */
  unconditional: {
    sink: (sink) =>
      over(sink, {
        stage: async (object, signal) => {
          const staged = await sink.stage(object, signal);
          const commit: Staged['commit'] = async (proof, inner) => {
            const etag = (await sink.head(object.key, inner))?.etag;
            return await staged.commit(
              etag === undefined ? proof : { ...proof, replace: { etag } },
              inner,
            );
          };
          return over(staged, { commit });
        },
      }),
  },
  /** A statement of an attempt that was taken over is applied all the same. */
  unfenced: {
    ledger: (ledger) => {
      const anyway = async <T>(claim: Claim, run: (claim: Claim) => Promise<T>): Promise<T> => {
        try {
          return await run(claim);
        } catch (error) {
          if (!(error instanceof FencedOut)) throw error;
          const now = await ledger.find(claim.id);
          return await run({ id: claim.id, attempt: now!.attempt });
        }
      };
      return over(ledger, {
        streaming: (claim, upload) => anyway(claim, (c) => ledger.streaming(c, upload)),
        verified: (claim, content, options) =>
          anyway(claim, (c) => ledger.verified(c, content, options)),
        exit: (claim, state, reason) => anyway(claim, (c) => ledger.exit(c, state, reason)),
      });
    },
  },
  /** An answer that never came is taken for a yes. */
  hopeful: {
    sink: (sink) =>
      over(sink, {
        stage: async (object, signal) => {
          const staged = await sink.stage(object, signal);
          const commit: Staged['commit'] = (proof, inner) =>
            staged.commit(proof, inner).catch(() => ({ outcome: 'committed' as const }));
          return over(staged, { commit });
        },
      }),
  },
  /** 412 is taken for the own success. */
  existsIsSuccess: {
    sink: (sink) =>
      over(sink, {
        stage: async (object, signal) => {
          const staged = await sink.stage(object, signal);
          const commit: Staged['commit'] = async (proof, inner) => {
            const answer = await staged.commit(proof, inner);
            return answer.outcome === 'exists' ? { outcome: 'committed' as const } : answer;
          };
          return over(staged, { commit });
        },
      }),
  },
  /** The store is given no time to finish what it assembles. */
  noGrace: { sink: (sink) => over(sink, { completeGraceMs: 0 }) },
  /** The ledger says COMMITTED before anything is visible. */
  recordFirst: {
    ledger: (ledger) =>
      over(ledger, {
        verified: async (claim, content, options) => {
          const answer = await ledger.verified(claim, content, options);
          if (answer.answer === 'reserved') await ledger.committed(claim, { how: 'acknowledged' });
          return answer;
        },
      }),
  },
} as const satisfies Record<string, Plant>;
