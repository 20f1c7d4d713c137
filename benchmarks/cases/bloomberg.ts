/** A large getdata reply of Bloomberg, read and checked by one process each. */
import { readFile, rm } from 'node:fs/promises';
import { isDeepStrictEqual } from 'node:util';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Case, Contender } from '../case.ts';
import { writeBloombergReply, type WrittenReply } from '../data/bloomberg-reply.ts';
import type { Ground } from '../ground.ts';

export const bloomberg: Case = {
  name: 'bloomberg',
  title: 'a getdata reply, read and checked',
  bar: '≥ 200 MB/s on one core, constant memory',
  bytes: 1024 ** 3,
  programs: [],
  prepare,
};

const READER = fileURLToPath(new URL('../bloomberg/read-reply.ts', import.meta.url));

async function prepare(ground: Ground, bytes: number): Promise<readonly Contender[]> {
  const path = join(ground.folder, 'px0115a.out');
  const written = await writeBloombergReply(path, bytes);
  return ['octo', 'lines', 'csv-parse'].map((how) => ({
    name: NAMES[how] ?? how,
    task: async (round) => reading(ground, how, round, path, written),
  }));
}

const NAMES: { readonly [how: string]: string } = {
  octo: 'octo, inspectReply',
  lines: "split('\\n'), split('|')",
};

function reading(
  ground: Ground,
  how: string,
  round: number,
  path: string,
  { rows, failed, notAvailable }: WrittenReply,
): ReturnType<Contender['task']> {
  const answer = join(ground.folder, `${how}-${round}.json`);
  const node = [process.execPath, '--conditions=octo-source', READER, how, path, answer];
  return Promise.resolve({
    argv: node,
    check: async () => {
      const counted: unknown = JSON.parse(await readFile(answer, 'utf8'));
      if (!isDeepStrictEqual(counted, { rows, failed, notAvailable }))
        throw new Error(`${how} counted ${JSON.stringify(counted)}`);
    },
    tidy: () => rm(answer, { force: true }),
  });
}
