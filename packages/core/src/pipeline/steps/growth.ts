import { PluginError } from '@octo/plugin-api';
import type { Limits } from '../step.ts';

/** The ratio counts from this much output on: small files of one repeated line are no bombs. See {@link Limits}. */
const RATIO_COUNTS_FROM = 1024 * 1024;

/** Watches how much comes out of a file, and for each byte that went in. */
export class Growth {
  /** Bytes that went in. The step counts them up. */
  read = 0;
  #written = 0;
  readonly #limits: Limits;

  constructor(limits: Limits) {
    this.#limits = limits;
  }

  /** @throws PluginError `integrity`, code `LIMIT` */
  wrote(bytes: number): void {
    this.#written += bytes;
    const { maxBytes, maxRatio } = this.#limits;
    if (this.#written > maxBytes) throw limitExceeded(`more than ${maxBytes} bytes`, 'maxBytes');
    if (this.#written > RATIO_COUNTS_FROM && this.#written > this.read * maxRatio) {
      throw limitExceeded(`more than ${maxRatio} bytes for each byte received`, 'maxRatio');
    }
  }
}

/** @param name of the limit in the manifest */
export function limitExceeded(what: string, name: keyof Limits): PluginError {
  return new PluginError(
    'integrity',
    `the file unpacks to ${what}; ask the vendor, or raise limits.${name} of the pipeline if that is expected`,
    { code: 'LIMIT' },
  );
}
