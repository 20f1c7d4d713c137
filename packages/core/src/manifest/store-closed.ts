import type { OctoError } from '../errors/octo-error.ts';

/** A store that is there and does not open: nothing is wrong with the reference. */
export class StoreClosed extends Error {
  /** The same object for every secret of that store. */
  readonly reason: OctoError;

  constructor(reason: OctoError) {
    super(reason.message);
    this.reason = reason;
  }
}
