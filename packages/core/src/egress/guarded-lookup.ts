import { lookup as systemLookup, type LookupAddress, type LookupOptions } from 'node:dns';
import type { LookupFunction } from 'node:net';
import type { EgressRules } from './egress-rules.ts';

type Answer = Parameters<LookupFunction>[2];

/**
 * Resolves names, and answers only with addresses that may be connected to. Node connects to exactly what is answered, so a
 * name server that says something else the next moment is not asked again.
 */
export function guardedLookup(rules: EgressRules, lookup: LookupFunction = systemLookup) {
  return (name: string, options: LookupOptions, answer: Answer): void => {
    lookup(name, { ...options, all: true }, (error, found) => {
      if (error !== null) return answer(error, '', 0);
      const all = Array.isArray(found)
        ? (found as readonly LookupAddress[])
        : [{ address: found, family: 4 }];
      const { open, refusal } = sorted(all, name, rules);
      const [first] = open;
      if (first === undefined) return answer(refusal ?? notFound(name), '', 0);
      if (options.all === true) return answer(null, open as LookupAddress[]);
      return answer(null, first.address, first.family);
    });
  };
}

function sorted(
  all: readonly LookupAddress[],
  name: string,
  rules: EgressRules,
): { readonly open: readonly LookupAddress[]; readonly refusal: Error | undefined } {
  const open: LookupAddress[] = [];
  let refusal: Error | undefined;
  for (const one of all) {
    try {
      rules.check(one.address, name);
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
