import type { RatePolicy } from '../manifest/manifest.ts';

/** How often each instance is asked, over all hosts of one database. */
export interface Paces {
  /**
   * Takes the next request of the instance. First come, first served: who is told to wait has his place, and comes too early
   * when he does not.
   * @returns after how many milliseconds it may be made
   */
  take(instance: string, rate: RatePolicy): Promise<number>;
}
