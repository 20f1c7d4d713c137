import { askHealth, type HealthOptions, type InstanceHealth, type Patient } from './health.ts';

export interface RecentHealthOptions extends HealthOptions {
  /** How long an answer holds, in milliseconds. Default 5,000. */
  readonly maxAgeMs?: number;
}

export interface HealthReport {
  /** When the last instance had answered, milliseconds since the Unix epoch. */
  readonly atMs: number;
  readonly instances: readonly InstanceHealth[];
}

type Patients = ReadonlyMap<string, Patient>;

interface Question {
  readonly of: Patients;
  readonly answer: Promise<HealthReport>;
  /** On the monotonic clock; `Infinity` while it is not answered. */
  goodUntilMs: number;
}

/**
 * Health for those who ask often: vendors are asked once in a while, however many ask. Who asks meanwhile waits for the
 * same answer. Other instances, as after a reload, are a new question.
 */
export class RecentHealth {
  readonly #instances: () => Patients;
  readonly #options: RecentHealthOptions;
  readonly #life: AbortSignal;
  #question: Question | undefined;

  /**
   * @param instances those that are in use right now
   * @param life ends what is being asked; its reason is what is thrown then
   */
  constructor(instances: () => Patients, options: RecentHealthOptions, life: AbortSignal) {
    this.#instances = instances;
    this.#options = options;
    this.#life = life;
  }

  /** Rejects only with the reason of `signal`, which ends the waiting, not the question; or of the life. */
  async ask(signal: AbortSignal): Promise<HealthReport> {
    signal.throwIfAborted();
    const { promise, reject } = Promise.withResolvers<never>();
    const giveUp = () => reject(signal.reason as Error);
    signal.addEventListener('abort', giveUp, { once: true });
    try {
      return await Promise.race([this.#current().answer, promise]);
    } finally {
      signal.removeEventListener('abort', giveUp);
    }
  }

  #current(): Question {
    const of = this.#instances();
    const last = this.#question;
    if (last?.of === of && this.#options.clock.monotonic() < last.goodUntilMs) return last;
    const question: Question = { of, answer: this.#report(of), goodUntilMs: Infinity };
    this.#question = question;
    question.answer.then(
      () => this.#age(question),
      () => this.#forget(question),
    );
    return question;
  }

  async #report(of: Patients): Promise<HealthReport> {
    const instances = await askHealth(of.values(), this.#options, this.#life);
    return { atMs: this.#options.clock.now(), instances };
  }

  #age(question: Question): void {
    const { clock, maxAgeMs = 5_000 } = this.#options;
    question.goodUntilMs = clock.monotonic() + maxAgeMs;
  }

  #forget(question: Question): void {
    if (this.#question === question) this.#question = undefined;
  }
}
