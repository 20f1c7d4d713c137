import { ManualClock } from '@octo/plugin-testing';
import { expect, onTestFinished, test } from 'vitest';
import { ProgressLine } from '../../src/cli/progress-line.ts';
import { MemoryOutput } from './test-environment.ts';

function progress(columns = 100) {
  const stderr = new MemoryOutput();
  stderr.isTerminal = true;
  stderr.columns = columns;
  const clock = new ManualClock();
  const line = new ProgressLine({ stderr, clock });
  onTestFinished(() => line[Symbol.asyncDispose]());
  /** What stands in the terminal's last line now. */
  const visible = () => stderr.text.split('\r\u001B[K').at(-1);
  return { line, clock, stderr, visible };
}

const listed = { event: 'listed', files: 5, bytes: 20_000_000, toDeliver: 2 } as const;

test('it shows files, bytes, rate, time left and the file in hand', async () => {
  const { line, clock, visible } = progress();
  line.show(listed);
  line.show({ event: 'started', path: 'a.csv', size: 10_000_000 });
  await clock.advance(10_000);
  line.show({ event: 'read', path: 'a.csv', bytes: 4_000_000 });
  await clock.advance(2000);
  expect(visible()).toBe('0/2 files · 4.00 MB · 2.00 MB/s · 8.0 s left · a.csv');
  line.show({ event: 'delivered', path: 'a.csv', key: 'a.csv', bytes: 1 });
  await clock.advance(100);
  line.show({ event: 'started', path: 'b.csv', size: 10_000_000 });
  expect(visible()).toMatch(/^1\/2 files · .* · b\.csv$/);
});

test('a second look at the vendor adds to what was done', async () => {
  const { line, clock, visible } = progress();
  line.show(listed);
  for (const path of ['a.csv', 'b.csv']) {
    line.show({ event: 'started', path, size: 10_000_000 });
    line.show({ event: 'read', path, bytes: 10_000_000 });
    line.show({ event: 'delivered', path, key: path, bytes: 10_000_000 });
  }
  line.show({ ...listed, bytes: 5_000_000, toDeliver: 1 });
  await clock.advance(1000);
  expect(visible()).toMatch(/^2\/3 files · 20\.0 MB · .* left$/);
});

test('it redraws at most ten times a second, however many events come', async () => {
  const { line, clock, stderr } = progress();
  line.show(listed);
  const drawn = () => stderr.text.split('\r\u001B[K').length;
  const before = drawn();
  for (let i = 0; i < 1000; i++) line.show({ event: 'read', path: 'a', bytes: 1 });
  expect(drawn()).toBe(before);
  await clock.advance(100);
  line.show({ event: 'read', path: 'a', bytes: 1 });
  expect(drawn()).toBe(before + 1);
});

test('a standstill shows although no event comes', async () => {
  const { line, clock, visible } = progress();
  line.show(listed);
  line.show({ event: 'read', path: 'a.csv', bytes: 1000 });
  await clock.advance(10_000);
  expect(visible()).toBe('0/2 files · 1.00 kB · 0 B/s · no bytes at the moment');
});

test('it never fills the last column of a narrow terminal', async () => {
  const { line, clock, visible } = progress(30);
  line.show(listed);
  line.show({ event: 'started', path: 'a-very-long-name-of-a-file.csv', size: 1 });
  await clock.advance(1000);
  expect(visible()?.length).toBeLessThan(30);
  expect(visible()).toMatch(/…$/);
});

test('names from a vendor cannot move the cursor', async () => {
  const { line, clock, visible } = progress();
  line.show(listed);
  line.show({ event: 'started', path: 'a\u001B[2Jb\n', size: 1 });
  await clock.advance(1000);
  expect(visible()).toContain(String.raw`a\x1b[2Jb\n`);
});

test('the line is gone when it is disposed', async () => {
  const { line, clock, stderr } = progress();
  line.show(listed);
  await line[Symbol.asyncDispose]();
  expect(stderr.text.endsWith('\r\u001B[K')).toBe(true);
  expect(clock.pending).toBe(0);
});
