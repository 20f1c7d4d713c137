/** Parameters of a query, checked. */
import { RestRefusal } from './rest-refusal.ts';

export function badQuery(name: string, detail: string): RestRefusal {
  return new RestRefusal(400, `The parameter ${name} is not valid.`, [
    { detail, pointer: name, location: 'query' },
  ]);
}

/** `undefined` when it is not given. @throws RestRefusal 400 */
export function wholeNumber(
  query: URLSearchParams,
  name: string,
  { least, most }: { readonly least: number; readonly most: number },
): number | undefined {
  const text = query.get(name);
  if (text === null) return undefined;
  const value = /^\d{1,9}$/.test(text) ? Number(text) : Number.NaN;
  if (value >= least && value <= most) return value;
  throw badQuery(name, `Must be a whole number from ${least} to ${most}.`);
}
