import type { Paces } from '../../src/policy/paces.ts';

/** Lets everybody pass, and remembers who asked. */
export class OpenPaces implements Paces {
  readonly taken: string[] = [];

  async take(instance: string): Promise<number> {
    this.taken.push(instance);
    return 0;
  }
}
