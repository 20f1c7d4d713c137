import { describe, expect, test } from 'vitest';
import { errorTypeOf, quiet, someBytes } from '../observations.ts';
import { objects, SinkBench, type OpenSink } from './sink-bench.ts';

const KEYS = [
  'plain.csv',
  'with space/and another.csv',
  'ünïcødé/файл/数据 🐙.csv',
  `${Array.from({ length: 20 }, (_, i) => `level${i}`).join('/')}/deep.csv`,
  `${'n'.repeat(200)}.csv`,
  `percent%20/plus+/amp&/equals=/question?/hash#.csv`,
  `quotes'"/brackets[]{}<>/semi;colon:.csv`,
  '.hidden/..leading/trailing../...',
  '-dash/~tilde/$dollar/*star|pipe^caret',
  'CON/nul.txt',
];

const REFUSED = [
  '',
  '/',
  '/absolute',
  'double//slash',
  'folder/',
  '.',
  '..',
  './a',
  'a/..',
  'a/../b',
  'a\0b',
];

/** Keys are names, never paths to somewhere else. */
export function keyTests(open: OpenSink): void {
  describe('keys', () => {
    test.each(KEYS)('%j is taken as it is', async (key) => {
      await using bench = await SinkBench.open(open);
      const answer = await bench.put(key, someBytes(64), { metadata: { 'octo-delivery': 'd' } });
      expect(answer.outcome).toBe('committed');
      expect(await bench.visible()).toEqual(objects({ [key]: someBytes(64) }));
      expect(await bench.sink.head(key, quiet)).toMatchObject({
        bytes: 64,
        metadata: { 'octo-delivery': 'd' },
      });
    });

    test.each(REFUSED)('%j is refused as validation', async (key) => {
      await using bench = await SinkBench.open(open);
      expect(await errorTypeOf(bench.sink.stage({ key, metadata: {} }, quiet))).toBe('validation');
      expect(await bench.visible()).toEqual(objects({}));
    });

    test('names that begin alike are different objects', async () => {
      await using bench = await SinkBench.open(open);
      const written = {
        'a/report': someBytes(1),
        'a/report.csv': someBytes(2),
        'a/report~2.csv': someBytes(3),
        'a.report': someBytes(4),
      };
      for (const [key, bytes] of Object.entries(written)) await bench.put(key, bytes);
      expect(await bench.visible()).toEqual(objects(written));
    });
  });
}
