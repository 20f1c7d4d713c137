import { inspect } from 'node:util';

const SHOWN = '[secret]';

/**
 * A value that nobody prints by accident: as text, in a template, as JSON, in a log or by `inspect` it is `[secret]`. For
 * what the host itself holds, from where it is read to the call that needs it.
 */
export class Secret<T = string> {
  readonly #value: T;

  constructor(value: T) {
    this.#value = value;
  }

  /** The value itself. Hand it to the call that needs it, and keep it nowhere. */
  reveal(): T {
    return this.#value;
  }

  toString(): string {
    return SHOWN;
  }

  toJSON(): string {
    return SHOWN;
  }

  [Symbol.toPrimitive](): string {
    return SHOWN;
  }

  [inspect.custom](): string {
    return SHOWN;
  }
}
