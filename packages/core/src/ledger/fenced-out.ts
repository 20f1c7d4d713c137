/** Another attempt owns the delivery now: abort the own upload, stop, touch nothing else. */
export class FencedOut extends Error {
  /** Its id. */
  readonly delivery: string;
  /** The attempt that was taken over. */
  readonly attempt: bigint;

  constructor(delivery: string, attempt: bigint) {
    super(`delivery ${delivery}: attempt ${attempt} was taken over by a later one`);
    this.name = 'FencedOut';
    this.delivery = delivery;
    this.attempt = attempt;
  }
}
