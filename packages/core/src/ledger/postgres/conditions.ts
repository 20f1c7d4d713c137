/** The conditions of a statement whose parts depend on what was asked for, with their values in order. */
export class Conditions {
  readonly #names: string[] = [];
  readonly #parts: string[] = [];
  readonly #values: unknown[] = [];

  /** Which ones there are: the same names are the same text. */
  get names(): string {
    return this.#names.join('');
  }

  /** Empty when there is none. */
  get where(): string {
    return this.#parts.length === 0 ? '' : `where ${this.#parts.join(' and ')}`;
  }

  get values(): readonly unknown[] {
    return this.#values;
  }

  /** Adds one unless there is nothing to compare with. `name` is a letter; `part` is given the value's placeholder. */
  add(name: string, value: unknown, part: (placeholder: string) => string): void {
    if (value === undefined) return;
    this.#names.push(name);
    this.#parts.push(part(this.value(value)));
  }

  /** The placeholder of a value. */
  value(value: unknown): string {
    this.#values.push(value);
    return `$${this.#values.length}`;
  }
}

/** A time in milliseconds since the Unix epoch, as the database has times. */
export function instantOf(ms: string): string {
  return `to_timestamp(${ms}::double precision / 1000)`;
}
