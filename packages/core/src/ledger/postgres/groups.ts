import { OctoError } from '../../errors/octo-error.ts';
import { cleanAll, type Cleaned } from './cleaned.ts';
import type { Database, Query } from './database.ts';
import { GroupCommit } from './group-commit.ts';
import { moveAll, type Move, type MoveKind } from './move-all.ts';
import { reserveAll, type Reservation } from './reserve.ts';

/** Those that need nothing but themselves; the others are part of a transaction. */
export type Gathered = Exclude<MoveKind, 'duplicate' | 'nextKey'>;

/** The statements that gather, over all runs of a process: each kind goes on its own, so none waits for another. */
export class Groups {
  readonly moves: { readonly [K in Gathered]: GroupCommit<Move, boolean> };
  readonly reserve: GroupCommit<Move, Reservation>;
  readonly cleaned: GroupCommit<Cleaned, void>;

  constructor(database: Database) {
    const group = <Item, Answer>(
      all: (query: Query, batch: readonly Item[]) => Promise<readonly Answer[]>,
    ): GroupCommit<Item, Answer> =>
      new GroupCommit({ send: (batch) => database.run((query) => all(query, batch)), mayBeOfOne });
    const moving = (kind: MoveKind): GroupCommit<Move, boolean> =>
      group((query, batch) => moveAll(query, kind, batch));
    this.moves = {
      fenced: moving('fenced'),
      streaming: moving('streaming'),
      wait: moving('wait'),
      exit: moving('exit'),
      park: moving('park'),
      committed: moving('committed'),
    };
    this.reserve = group(reserveAll);
    this.cleaned = group(cleanAll);
  }
}

/** A database that is away is away for all; anything else may be the fault of one row. */
function mayBeOfOne(error: unknown): boolean {
  return !(error instanceof OctoError);
}
