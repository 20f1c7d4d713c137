import { expect, test } from 'vitest';
import { ReadBudget } from '../src/read-budget.ts';
import { ReadWindow } from '../src/read-window.ts';
import { sftpSettings, type SftpOptions } from '../src/sftp-options.ts';

const MIB = 2 ** 20;

test('as long as no round trip was measured, a near server is assumed', () => {
  expect(windowOf().limits).toEqual({ reads: 64, bytes: 2 * MIB });
});

test('the farther the server, the more reads are under way, up to a limit for memory', () => {
  expect(windowOf(1).limits.reads).toBe(64);
  expect(windowOf(20).limits.reads).toBe(320);
  expect(windowOf(100).limits).toEqual({ reads: 1024, bytes: 32 * MIB });
  expect(windowOf(5000).limits).toEqual({ reads: 1024, bytes: 32 * MIB });
});

test('the quickest answer counts: a slow one tells of the server, not of the line', () => {
  expect(windowOf(300, 20, 80).limits.reads).toBe(320);
});

test('what the options say holds, however far the server is', () => {
  const window = new ReadWindow(settings({ outstandingReads: 2, readAheadBytes: MIB }));
  window.answered(100);
  expect(window.limits).toEqual({ reads: 2, bytes: 64 * 1024 });
  expect(window.readAheadBytes).toBe(MIB);
});

test('files that are read at the same time share how far they may run ahead', () => {
  const window = windowOf(100);
  using _first = window.join();
  expect(window.readAheadBytes).toBe(40 * MIB);
  {
    using _second = window.join();
    expect(window.readAheadBytes).toBe(20 * MIB);
    const more = Array.from({ length: 62 }, () => window.join());
    expect(window.readAheadBytes).toBe(4 * MIB);
    for (const one of more) one[Symbol.dispose]();
  }
  expect(window.readAheadBytes).toBe(40 * MIB);
});

test('large reads use the budget up by their bytes, and one is always allowed', () => {
  const budget = new ReadBudget({ reads: 64, bytes: 1000 });
  const woken: string[] = [];
  expect(budget.take(5000, () => {})).toBe(true);
  expect(budget.take(10, () => woken.push('again'))).toBe(false);
  budget.giveBack(5000, undefined);
  expect(woken).toEqual(['again']);
});

test('a limit that the server has taught stays when the window grows', () => {
  const budget = new ReadBudget({ reads: 64, bytes: MIB });
  expect(budget.lower(64)).toBe(true);
  budget.raise({ reads: 1024, bytes: 32 * MIB });
  expect(budget.limit).toBe(32);
});

function windowOf(...answersMs: readonly number[]): ReadWindow {
  const window = new ReadWindow(settings());
  for (const ms of answersMs) window.answered(ms);
  return window;
}

function settings(more: Partial<SftpOptions> = {}): ReturnType<typeof sftpSettings> {
  return sftpSettings({
    host: 'sftp.example.com',
    username: 'octo',
    password: 'not a secret',
    hostKeys: ['SHA256:AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA'],
    ...more,
  });
}
