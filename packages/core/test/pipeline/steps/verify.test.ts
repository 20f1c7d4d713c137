import { PluginError, type Inspection } from '@octo/plugin-api';
import { describe, expect, test } from 'vitest';
import {
  inChunks,
  makeContext,
  makeStep,
  refusal,
  runStep,
  watchedSource,
} from './step-harness.ts';

const getdata = [
  'START-OF-FILE',
  'RUNDATE=20260115',
  '',
  'START-OF-DATA',
  'IBM US Equity|0|1|231.45|',
  'NOPE US Equity|10|1| |',
  'END-OF-DATA',
  'DATARECORDS=2',
  'END-OF-FILE',
  '',
].join('\n');
const bloomberg = {
  trailer: 'END-OF-FILE',
  countLine: { start: 'START-OF-DATA', end: 'END-OF-DATA', count: 'DATARECORDS=' },
};

async function verdict(options: object, text: string): Promise<string> {
  const step = await makeStep('verify', options);
  const outcome = await runStep(step, Buffer.from(text), { chunkBytes: 5 }).catch(
    (error: PluginError) => error,
  );
  if (outcome instanceof PluginError) return `${outcome.type} ${outcome.code}`;
  expect(outcome.contents[0]?.bytes.toString()).toBe(text);
  return 'passes';
}

test.each([
  ['whole', getdata, 'passes'],
  ['with CRLF', getdata.replaceAll('\n', '\r\n'), 'passes'],
  ['with mixed line ends', getdata.replace('\n', '\r\n'), 'passes'],
  ['without a last line end', getdata.trimEnd(), 'passes'],
  ['with blank lines at the end', `${getdata}\n\r\n\n`, 'passes'],
  ['cut off', getdata.slice(0, -8), 'integrity TRAILER'],
  ['cut off inside the data', getdata.slice(0, 80), 'integrity TRAILER'],
  ['with a row less', getdata.replace(/NOPE.*\n/, ''), 'integrity ROW_COUNT'],
  ['with a row more', getdata.replace('NOPE', 'X|\nNOPE'), 'integrity ROW_COUNT'],
  ['without its count', getdata.replace('DATARECORDS=2\n', ''), 'integrity TRAILER'],
  ['with a count that is no number', getdata.replace('S=2', 'S=two'), 'integrity TRAILER'],
  ['with something behind the trailer', `${getdata}more\n`, 'integrity TRAILER'],
  ['empty', '', 'integrity TRAILER'],
])('a file with a trailer and a declared count, %s', async (_, text, expected) => {
  expect(await verdict(bloomberg, text)).toBe(expected);
});

test.each([
  [{ rows: { min: 1, header: true } }, 'a,b\n1,2\n', 'passes'],
  [{ rows: { min: 1, header: true } }, 'a,b\n', 'integrity ROW_COUNT'],
  [{ rows: { header: true } }, 'a,b\n', 'passes'],
  [{ rows: { header: true } }, '', 'integrity ROW_COUNT'],
  [{ rows: { min: 2, max: 2 } }, '1\n2', 'passes'],
  [{ rows: { max: 2 } }, '1\n2\n3', 'integrity ROW_COUNT'],
  [{ minBytes: 1 }, '', 'integrity TOO_SMALL'],
  [{ minBytes: 3 }, 'abc', 'passes'],
  [{ trailer: 'T|' }, 'D|1\nT|0001|sum\n', 'passes'],
  [{}, '', 'passes'],
] as const)('%j on %j: %s', async (options, text, expected) => {
  expect(await verdict(options, text)).toBe(expected);
});

test('the message says what was expected and what was found, and nothing of the content', async () => {
  const step = await makeStep('verify', bloomberg);
  const error = await refusal(step, Buffer.from(getdata.replace('S=2', 'S=12')));
  expect(error.message).toMatch(/declares 12 rows and has 2/);
  expect(error.message).not.toContain('IBM');
});

test('a line of a gigabyte is refused early', async () => {
  const watched = watchedSource(Buffer.alloc(64 * 1024, 'x'));
  const error = await refusal(await makeStep('verify', bloomberg), watched.source);
  expect(error).toMatchObject({ type: 'integrity', code: 'TRAILER' });
  expect(watched.released).toBe(true);
});

describe("the provider's own check", () => {
  const seen: string[] = [];
  const inspection: Inspection = {
    write: (chunk) => void seen.push(Buffer.from(chunk).toString()),
    finish: () => ({ facts: { rows: 7, total: '12.50' }, warnings: ['one row is odd'] }),
  };

  test('sees every byte, and its facts and warnings are passed on', async () => {
    const step = await makeStep('verify');
    const { facts, warnings } = await runStep(step, Buffer.from('abcdef'), {
      inspection,
      chunkBytes: 2,
    });
    expect(seen).toEqual(['ab', 'cd', 'ef']);
    expect(facts).toEqual({ rows: 7, total: '12.50' });
    expect(warnings).toEqual(['one row is odd']);
  });

  test('refuses the file when it throws, at once or at the end', async () => {
    const wrong = new PluginError('integrity', 'totals differ', { code: 'CONTROL_TOTAL' });
    const refuse = () => {
      throw wrong;
    };
    const step = await makeStep('verify');
    for (const bad of [{ write: refuse }, { finish: refuse }]) {
      const options = { inspection: { ...inspection, ...bad } };
      expect(await refusal(step, Buffer.from('abc'), options)).toBe(wrong);
    }
  });

  test('can be left out', async () => {
    const step = await makeStep('verify', { provider: false });
    const { facts } = await runStep(step, Buffer.from('abc'), { inspection });
    expect(facts).toEqual({});
  });
});

test('break releases the source', async () => {
  const step = await makeStep('verify', { rows: {} });
  const watched = watchedSource(Buffer.from('a,b\n'));
  const { context } = await makeContext();
  for await (const content of step.run({ name: 'a', bytes: watched.source }, context)) {
    for await (const chunk of content.bytes) {
      expect(chunk.length).toBeGreaterThan(0);
      break;
    }
    break;
  }
  expect(watched.released).toBe(true);
});

test('the member of an archive stays the same member', async () => {
  const step = await makeStep('verify');
  const { context } = await makeContext();
  const content = { name: 'a.zip', member: 'x/b.csv', bytes: inChunks(Buffer.from('abc'), 9) };
  for await (const { name, member, bytes } of step.run(content, context)) {
    expect([name, member]).toEqual(['a.zip', 'x/b.csv']);
    await Array.fromAsync(bytes);
  }
});
