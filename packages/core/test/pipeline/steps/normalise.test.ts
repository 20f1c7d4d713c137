import { PluginError, type TableRow, type Tabulation } from '@octo/plugin-api';
import { parquetMetadata, parquetReadObjects } from 'hyparquet';
import { describe, expect, test } from 'vitest';
import { makeContext, makeStep, refusal, runStep, watchedSource } from './step-harness.ts';

const csv = await makeStep('normalise', { as: 'csv' });
const parquet = await makeStep('normalise', { as: 'parquet' });
const RAW = Buffer.from('id;note\n1;a, "b"\n2;-\n3;\n');

describe('a file and its table', () => {
  test('come out as two members, the file unchanged and first', async () => {
    for (const chunkBytes of [1, 7, 1000]) {
      const { contents } = await runStep(csv, RAW, {
        name: 'px.out',
        tabulation: semicolons(),
        chunkBytes,
      });
      expect(contents).toEqual([
        { name: 'px.out', member: 'px.out', bytes: RAW },
        {
          name: 'px.out.normalised.csv',
          member: 'px.out.normalised.csv',
          bytes: Buffer.from('id,note\n1,"a, ""b"""\n2,\n3,""\n'),
        },
      ]);
    }
    expect(csv.rename('px.out')).toBe('px.out.manifest.json');
  });

  test('as Parquet: columns of text, in which nothing and an empty text are two things', async () => {
    const { contents } = await runStep(parquet, RAW, { name: 'px.out', tabulation: semicolons() });
    expect(contents[0]?.bytes).toEqual(RAW);
    expect(contents[1]?.name).toBe('px.out.normalised.parquet');
    expect(await rowsOf(contents[1]?.bytes)).toEqual([
      { id: '1', note: 'a, "b"' },
      { id: '2', note: null },
      { id: '3', note: '' },
    ]);
  });

  test('as Parquet: in several groups of rows, so that no table has to fit into memory', async () => {
    const lines = Array.from({ length: 3_000 }, (_, i) => `${i};${'x'.repeat(10_000)}\n`);
    const bytes = Buffer.from(`id;note\n${lines.join('')}`);
    const { contents } = await runStep(parquet, bytes, { tabulation: semicolons() });
    const table = contents[1]?.bytes as Buffer;
    expect(parquetMetadata(arrayBuffer(table)).row_groups.length).toBeGreaterThan(2);
    const rows = await rowsOf(table);
    expect(rows).toHaveLength(3_000);
    expect(rows.map(({ id }) => id)).toEqual(lines.map((_, i) => `${i}`));
  });

  test('keep their place in an archive', async () => {
    const { context } = await makeContext({ tabulation: semicolons() });
    const source = { name: 'px.out', member: 'day/px.out', bytes: chunks(RAW) };
    const members = [];
    for await (const { member, bytes } of csv.run(source, context)) {
      for await (const chunk of bytes) void chunk;
      members.push(member);
    }
    expect(members).toEqual(['day/px.out', 'day/px.out.normalised.csv']);
  });

  test('without rows have a header, and without columns nothing', async () => {
    const empty = await runStep(csv, Buffer.from('id;note\n'), { tabulation: semicolons() });
    expect(empty.contents[1]?.bytes.toString()).toBe('id,note\n');
    const none: Tabulation = { columns: [], write: () => [], finish: () => [] };
    const nothing = await runStep(csv, RAW, { tabulation: none });
    expect(nothing.contents[1]?.bytes.length).toBe(0);
    const file = (await runStep(parquet, Buffer.from('id;note\n'), { tabulation: semicolons() }))
      .contents[1];
    expect(await rowsOf(file?.bytes)).toEqual([]);
  });
});

test('a file of which the provider reads no table is delivered alone, with a warning', async () => {
  const { contents, warnings } = await runStep(csv, RAW, { name: 'px.pdf' });
  expect(contents).toEqual([{ name: 'px.pdf', member: 'px.pdf', bytes: RAW }]);
  expect(warnings).toEqual([expect.stringContaining('reads no table from this file')]);
});

test('a file that turns out to be no table is refused with the words of the provider', async () => {
  const broken = Object.assign(semicolons(), {
    finish: (): never => {
      throw new PluginError('integrity', 'row 3 has no end', { code: 'MALFORMED' });
    },
  });
  expect(await refusal(csv, RAW, { tabulation: broken })).toMatchObject({ code: 'MALFORMED' });
});

test('what was spooled is gone when the reader has enough', async () => {
  const { context } = await makeContext({ tabulation: semicolons() });
  const watched = watchedSource(RAW);
  for await (const { bytes } of csv.run({ name: 'a', bytes: watched.source }, context)) {
    const iterator = bytes[Symbol.asyncIterator]();
    await iterator.next();
    await iterator.return?.();
    break;
  }
  expect(watched.released).toBe(true);
});

test.each([[{}], [{ as: 'xlsx' }], [{ as: 'csv', delimiter: ';' }]])(
  'the options %j are refused',
  async (options) => {
    await expect(makeStep('normalise', options)).rejects.toThrow(/data/);
  },
);

/** A provider that reads lines of cells divided by semicolons; `-` is no value. */
function semicolons(): Tabulation {
  let columns: readonly string[] | undefined;
  let text = '';
  const taken = (): TableRow[] => {
    const lines = text.split('\n');
    text = lines.pop() ?? '';
    const rows = lines.map((line) => line.split(';').map((cell) => (cell === '-' ? null : cell)));
    if (columns === undefined && rows.length > 0) columns = rows.shift()?.map(String);
    return rows;
  };
  return {
    get columns() {
      return columns;
    },
    write(chunk) {
      text += Buffer.from(chunk).toString();
      return taken();
    },
    finish: taken,
  };
}

async function rowsOf(file: Buffer | undefined): Promise<Record<string, unknown>[]> {
  return await parquetReadObjects({ file: arrayBuffer(file as Buffer) });
}

function arrayBuffer(bytes: Buffer): ArrayBuffer {
  return Uint8Array.from(bytes).buffer;
}

async function* chunks(bytes: Buffer): AsyncGenerator<Uint8Array> {
  yield bytes;
}
