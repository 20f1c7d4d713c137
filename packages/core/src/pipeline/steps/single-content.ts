import type { Content } from '../step.ts';

/**
 * One content as a step's whole result. Does not end without error unless its bytes were read to their end, because
 * what a step checks holds only there.
 */
export async function* singleContent(
  name: string,
  bytes: AsyncIterable<Uint8Array>,
  member?: string,
): AsyncGenerator<Content> {
  let whole = false;
  async function* watched(): AsyncGenerator<Uint8Array> {
    yield* bytes;
    whole = true;
  }
  yield { name, bytes: watched(), ...(member === undefined ? {} : { member }) };
  if (!whole) throw new Error(`${name} was not read to its end`);
}
