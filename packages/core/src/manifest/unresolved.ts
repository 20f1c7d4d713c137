import type { ErrorCode } from '../errors/catalogue.ts';

/** Why a reference is worth nothing, in words that follow the name of its place. */
export class Unresolved extends Error {
  readonly code: ErrorCode;

  constructor(code: ErrorCode, problem: string) {
    super(problem);
    this.code = code;
  }
}
