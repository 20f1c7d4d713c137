import dns, { type LookupAddress } from 'node:dns';
import type { LookupFunction } from 'node:net';
import { PluginError } from '@octo/plugin-api';
import type { EgressRules } from './egress-rules.ts';
import { addressesOf } from './guarded-lookup.ts';

/** As it was before anybody stood in front of it. */
const systemLookup: LookupFunction = dns.lookup;
/** Of one name; a service that moves all the time has had more. */
const MOST_ADDRESSES = 1024;

/**
 * What the system said that names lead to. Whoever connects may resolve by itself, as one does that tries address after
 * address; but a name that the operator wrote down opens only what that name really leads to, whatever else is said of it.
 */
export class ProvenNames {
  readonly #rules: EgressRules;
  readonly #system: LookupFunction;
  readonly #known = new Map<string, Set<string>>();

  /** @param system in place of the system's own */
  constructor(rules: EgressRules, system: LookupFunction = systemLookup) {
    this.#rules = rules;
    this.#system = system;
  }

  /** The system answered this. */
  learn(name: string, addresses: readonly LookupAddress[]): void {
    if (!this.#rules.hasName(name)) return;
    const known = this.#known.get(name) ?? new Set();
    if (known.size > MOST_ADDRESSES) known.clear();
    for (const { address } of addresses) known.add(address);
    this.#known.set(name, known);
  }

  /** The system's own lookup, with an ear on it. */
  readonly lookup: LookupFunction = (name, options, answer) => {
    this.#system(name, options, (error, found, family) => {
      if (error === null) this.learn(name, addressesOf(found, family));
      answer(error, found, family);
    });
  };

  /** Somebody's lookup, without what it makes up about a name that the operator wrote down. */
  proven(theirs: LookupFunction, port: number | undefined): LookupFunction {
    return (name, options, answer) =>
      theirs(name, options, (error, found, family) => {
        if (error !== null || !this.#rules.hasName(name)) return answer(error, found, family);
        const said = addressesOf(found, family);
        if (said.every((one) => this.#isKnown(name, one))) return answer(null, found, family);
        // It may know another way to the same truth.
        this.lookup(name, { all: true }, (failure) => {
          if (failure !== null) return answer(failure, '', 0);
          const proven = said.filter((one) => this.#isKnown(name, one) || this.#isOpen(one, port));
          if (proven.length === 0) return answer(invented(name) as Error, '', 0);
          return answer(null, proven);
        });
      });
  }

  #isKnown(name: string, { address }: LookupAddress): boolean {
    return this.#known.get(name)?.has(address) === true;
  }

  /** By itself, without any name. */
  #isOpen({ address }: LookupAddress, port: number | undefined): boolean {
    try {
      this.#rules.check(address, undefined, port);
      return true;
    } catch {
      return false;
    }
  }
}

function invented(name: string): PluginError {
  const problem = `${name} does not lead to the address that was asked for: no connection was made`;
  return new PluginError('validation', problem, { code: 'EGRESS_REFUSED' });
}
