import dns, { type LookupAddress, type LookupOptions } from 'node:dns';
import type { LookupFunction } from 'node:net';
import type { EgressRules } from './egress-rules.ts';

type Answer = Parameters<LookupFunction>[2];

/** As it was before anybody stood in front of it. */
const systemLookup: LookupFunction = dns.lookup;

/**
 * Resolves names that may be asked for, and answers only with addresses that may be connected to. Node connects to exactly
 * what is answered, so a name server that says something else the next moment is not asked again.
 * @param lookup in place of the system's
 */
export function guardedLookup(
  rules: EgressRules,
  lookup: LookupFunction = systemLookup,
  port?: number,
): LookupFunction {
  return (name: string, options: LookupOptions, answer: Answer): void => {
    try {
      rules.checkName(name, port);
    } catch (error) {
      return answer(error as Error, '', 0);
    }
    lookup(name, { ...options, all: true }, (error, found, family) => {
      if (error !== null) return answer(error, '', 0);
      const { open, refusal } = sorted(addressesOf(found, family), name, rules, port);
      const [first] = open;
      if (first === undefined) return answer(refusal ?? notFound(name), '', 0);
      if (options.all === true) return answer(null, open as LookupAddress[]);
      return answer(null, first.address, first.family);
    });
  };
}

/** What a resolver answers, in one form. */
export function addressesOf(
  found: string | readonly LookupAddress[],
  family = 4,
): readonly LookupAddress[] {
  return typeof found === 'string' ? [{ address: found, family }] : found;
}

function sorted(
  all: readonly LookupAddress[],
  name: string,
  rules: EgressRules,
  port: number | undefined,
): { readonly open: readonly LookupAddress[]; readonly refusal: Error | undefined } {
  const open: LookupAddress[] = [];
  let refusal: Error | undefined;
  for (const one of all) {
    try {
      rules.check(one.address, name, port);
      open.push(one);
    } catch (error) {
      refusal ??= error as Error;
    }
  }
  return { open, refusal };
}

function notFound(name: string): Error {
  return Object.assign(new Error(`the name ${name} has no address`), { code: 'ENOTFOUND' });
}
