import type { Breaker } from '../resilience/breaker.ts';

/** The breakers of all instances, as all hosts of one database share them. */
export interface Breakers {
  /** Of those that anything is known of. */
  read(instances: readonly string[]): Promise<ReadonlyMap<string, Breaker>>;
  /** The same for all there are. */
  all(): Promise<ReadonlyMap<string, Breaker>>;
  /**
   * One move, atomic over all hosts. `step` may be called several times: it decides by what it is given alone. `now` is the
   * time of the clock that all share.
   * @returns what `step` said to the state that counted, and both states
   */
  move<T>(
    instance: string,
    step: (before: Breaker, now: number) => { readonly next: Breaker; readonly answer: T },
  ): Promise<Moved<T>>;
}

export interface Moved<T> {
  readonly answer: T;
  readonly before: Breaker;
  readonly after: Breaker;
  /** When, by the clock that all share. */
  readonly now: number;
}
