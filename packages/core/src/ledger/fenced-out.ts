/** Another attempt owns the delivery now: abort the own upload, stop, touch nothing else. */
export class FencedOut extends Error {
  constructor(id: string, attempt: bigint) {
    super(`delivery ${id}: attempt ${attempt} was taken over by a later one`);
    this.name = 'FencedOut';
  }
}
