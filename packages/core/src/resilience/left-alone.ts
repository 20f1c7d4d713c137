import { OctoError } from '../errors/octo-error.ts';

/** A run does not begin, because what it needs is left alone for a while. It is put off and counts as no failure. */
export class LeftAlone extends OctoError {
  /** How long from now. Milliseconds. */
  readonly forMs: number;

  constructor(message: string, forMs: number) {
    super('OCTO_BREAKER_OPEN', message);
    this.name = 'LeftAlone';
    this.forMs = forMs;
  }
}
