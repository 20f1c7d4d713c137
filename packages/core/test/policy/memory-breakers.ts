import { type Breaker, CLOSED } from '../../src/resilience/breaker.ts';
import type { Breakers, Moved } from '../../src/policy/breakers.ts';

/** Breakers of one process, by a clock that the test moves. */
export class MemoryBreakers implements Breakers {
  readonly states = new Map<string, Breaker>();
  readonly #now: () => number;

  constructor(now: () => number = () => 0) {
    this.#now = now;
  }

  async read(instances: readonly string[]): Promise<ReadonlyMap<string, Breaker>> {
    return new Map([...this.states].filter(([id]) => instances.includes(id)));
  }

  async all(): Promise<ReadonlyMap<string, Breaker>> {
    return new Map(this.states);
  }

  async move<T>(
    instance: string,
    step: (before: Breaker, now: number) => { readonly next: Breaker; readonly answer: T },
  ): Promise<Moved<T>> {
    const before = this.states.get(instance) ?? CLOSED;
    const now = this.#now();
    const { next, answer } = step(before, now);
    if (next !== before) this.states.set(instance, next);
    return { answer, before, after: next, now };
  }
}
