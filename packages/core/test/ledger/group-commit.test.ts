import { expect, test } from 'vitest';
import { GroupCommit } from '../../src/ledger/postgres/group-commit.ts';

/** Sends nothing before it is told to; a batch with a bad item fails as a whole. */
function held(most = 10) {
  const batches: { readonly items: readonly string[]; readonly go: () => void }[] = [];
  let heard = Promise.withResolvers<void>();
  const group = new GroupCommit<string, string>({
    most,
    mayBeOfOne: (error) => (error as Error).message !== 'away',
    send: async (items) => {
      const { promise, resolve } = Promise.withResolvers<void>();
      batches.push({ items, go: resolve });
      heard.resolve();
      heard = Promise.withResolvers<void>();
      await promise;
      if (items.includes('away')) throw new Error('away');
      if (items.includes('bad')) throw new Error('a bad item');
      return items.map((item) => `${item}!`);
    },
  });
  const batch = async (number: number) => {
    while (batches.length < number) await heard.promise;
    return batches[number - 1]!;
  };
  return { group, batch };
}

test('what is asked while a batch is under way goes with the next one', async () => {
  const { group, batch } = held();
  const first = group.ask('a');
  expect((await batch(1)).items).toEqual(['a']);
  const later = [group.ask('b'), group.ask('c')];
  (await batch(1)).go();
  expect(await first).toBe('a!');
  expect((await batch(2)).items).toEqual(['b', 'c']);
  (await batch(2)).go();
  expect(await Promise.all(later)).toEqual(['b!', 'c!']);
});

test('a batch has an end, and who does not fit in comes next', async () => {
  const { group, batch } = held(2);
  const all = ['a', 'b', 'c'].map((item) => group.ask(item));
  expect((await batch(1)).items).toEqual(['a', 'b']);
  (await batch(1)).go();
  expect((await batch(2)).items).toEqual(['c']);
  (await batch(2)).go();
  expect(await Promise.all(all)).toEqual(['a!', 'b!', 'c!']);
});

test('an error of one is told to that one, after the others were asked without it', async () => {
  const { group, batch } = held();
  const all = Promise.allSettled(['a', 'bad', 'c'].map((item) => group.ask(item)));
  for (const number of [1, 2, 3, 4]) (await batch(number)).go();
  expect(await all).toMatchObject([
    { value: 'a!' },
    { reason: { message: 'a bad item' } },
    { value: 'c!' },
  ]);
});

test('an error that concerns all is told to all, and the next one is sent', async () => {
  const { group, batch } = held();
  const all = Promise.allSettled(['a', 'away', 'c'].map((item) => group.ask(item)));
  (await batch(1)).go();
  expect((await all).map(({ status }) => status)).toEqual(['rejected', 'rejected', 'rejected']);
  const next = group.ask('d');
  (await batch(2)).go();
  expect(await next).toBe('d!');
});
