import type { LookupFunction } from 'node:net';

export interface NameServer {
  readonly lookup: LookupFunction;
  /** The names that were asked for. */
  readonly asked: readonly string[];
}

/** A name server that says something else each time; when it has nothing left, no name has an address. */
export function nameServer(...answers: readonly (readonly string[])[]): NameServer {
  const asked: string[] = [];
  const lookup: LookupFunction = (name, _options, answer) => {
    const addresses = answers[asked.length] ?? [];
    asked.push(name);
    answer(
      null,
      addresses.map((address) => ({ address, family: address.includes(':') ? 6 : 4 })),
    );
  };
  return { lookup, asked };
}
