import { expect, test } from 'vitest';
import type { Claim } from '../../src/ledger/ledger.ts';
import type { MemoryLedger } from '../ledger/memory-ledger.ts';
import { goodManifest, site } from './site.ts';
import { octoHost } from './test-environment.ts';

const scope = { pipeline: 'trades', sink: 'memory://lake' };
const version = (path: string, mtimeMs = Date.UTC(2026, 0, 15, 3, 30)) => ({
  path,
  name: path.slice(path.lastIndexOf('/') + 1),
  size: 1234,
  mtimeMs,
  location: path,
});

const hash = Buffer.alloc(32, 7);

async function claimed(ledger: MemoryLedger): Promise<Claim> {
  const delivery = await ledger.claim({
    ...scope,
    leaseMs: 60_000,
    keyAt: (key, index) => (index === 0 ? key : `${key}~${index + 1}`),
    onReissue: 'version',
  });
  if (delivery === undefined) throw new Error('nothing to claim');
  return delivery;
}

async function deliver(ledger: MemoryLedger, path: string): Promise<void> {
  await ledger.discover(scope, [{ ...version(path), key: path.replace('in', 'acme') }]);
  const claim = await claimed(ledger);
  await ledger.fenced(claim);
  await ledger.streaming(claim, { id: 'upload', token: 'token' });
  await ledger.verified(
    claim,
    { rawSha256: hash, plainSha256: hash, plainBytes: 999, plainCrc64: Buffer.alloc(8) },
    { duplicates: 'name', facts: { rows: 3 }, refuseReissue: false },
  );
  await ledger.committed(claim, { how: 'acknowledged' });
}

async function quarantine(ledger: MemoryLedger, path: string): Promise<void> {
  await ledger.discover(scope, [{ ...version(path), key: path }]);
  await ledger.exit(await claimed(ledger), 'QUARANTINED', 'TAMPERED: changed on its way');
}

/** One delivered, one quarantined, one open file. */
async function fill(ledger: MemoryLedger): Promise<void> {
  await deliver(ledger, 'in/a.csv');
  await quarantine(ledger, 'in/b\u001B[31m.csv');
  await ledger.discover(scope, [{ ...version('in/c.csv'), key: 'acme/c.csv' }]);
}

async function filled() {
  const made = await site(goodManifest);
  await fill(made.ledger);
  return made;
}

test('the ledger is a table, newest first, in the words of people', async () => {
  const { environment } = await filled();
  const { code, stdout } = await octoHost(['files'], environment);
  expect(code).toBe(0);
  expect(stdout.lines.map((line) => line.split(/ {2,}/))).toEqual([
    ['state', 'file', 'size', 'when (UTC)', 'pipeline', 'key or reason'],
    ['discovered', 'in/c.csv', '1.23 kB', expect.any(String), 'trades'],
    [
      'quarantined',
      String.raw`in/b\x1b[31m.csv`,
      '1.23 kB',
      expect.any(String),
      'trades',
      'TAMPERED: changed on its way',
    ],
    ['delivered', 'in/a.csv', '1.23 kB', expect.any(String), 'trades', 'acme/a.csv'],
  ]);
});

test.each([
  [['--only', 'quarantined'], ['in/b\u001B[31m.csv']],
  [
    ['--only', 'delivered,open'],
    ['in/c.csv', 'in/a.csv'],
  ],
  [['--only', 'committed'], ['in/a.csv']],
  [['--pipeline', 'others'], []],
  [['--limit', '1'], ['in/c.csv']],
  [['*a.csv'], ['in/a.csv']],
])('files %j shows what was asked for', async (argv, paths) => {
  const { environment } = await filled();
  const { code, stdout } = await octoHost(['files', ...argv, '--json'], environment);
  expect(code).toBe(0);
  const { files } = JSON.parse(stdout.text) as { files: { path: string }[] };
  expect(files.map(({ path }) => path)).toEqual(paths);
});

test.each([
  [['--only', 'deliverd'], "there is no state 'deliverd'"],
  [['--limit', 'many'], "--limit must be a whole number from 1 to 1000000, not 'many'"],
])('files %j is refused', async (argv, message) => {
  const { environment } = await filled();
  const { code, stderr } = await octoHost(['files', ...argv], environment);
  expect(code).toBe(2);
  expect(stderr.text).toContain(message);
});

test("show tells a file's whole life", async () => {
  const { environment } = await filled();
  const { code, stdout } = await octoHost(['files', 'show', 'a.csv'], environment);
  expect(code).toBe(0);
  expect(stdout.lines[0]).toBe('in/a.csv  delivered');
  expect(stdout.text).toContain('  key         acme/a.csv');
  expect(stdout.text).toContain('  found       rows 3');
  const events = ['discovered', 'claimed', 'fenced', 'streaming', 'verified', 'committed'];
  const positions = events.map((event) => stdout.text.lastIndexOf(`  ${event}`));
  expect(positions.toSorted((a, b) => a - b)).toEqual(positions);
  expect(positions.every((position) => position > 0)).toBe(true);
});

test('show tells every match, and finds a name by its part', async () => {
  const { environment } = await filled();
  const { stdout } = await octoHost(['files', 'show', 'in/*', '--json'], environment);
  const { files } = JSON.parse(stdout.text) as { files: { history: unknown[] }[] };
  expect(files).toHaveLength(3);
  expect(files.every(({ history }) => history.length > 0)).toBe(true);
  const part = await octoHost(['files', 'show', 'c.cs'], environment);
  expect(part.stdout.text).toContain('in/c.csv');
});

test('show of an unknown file says where to look', async () => {
  const { environment } = await filled();
  const { code, stderr } = await octoHost(['files', 'show', 'z.csv'], environment);
  expect(code).toBe(1);
  expect(stderr.text).toBe(
    "octo-host: the ledger knows no file 'z.csv'; 'octo-host files' lists them\n",
  );
});

test('release lets a quarantined file be tried again, once', async () => {
  const { environment, ledger } = await filled();
  const { code, stdout } = await octoHost(['files', 'release', 'in/b*'], environment);
  expect(code).toBe(0);
  expect(stdout.text).toContain('the next run tries it again (octo-host run trades)');
  const [released] = await ledger.list({ match: 'in/b*', limit: 1 });
  expect(released?.state).toBe('DISCOVERED');
  const again = await octoHost(['files', 'release', 'in/b*'], environment);
  expect(again.code).toBe(2);
  expect(again.stderr.text).toContain(
    'is discovered, not quarantined: there is nothing to release',
  );
});

test('release of several files wants to be sure', async () => {
  const { environment, ledger } = await site(goodManifest);
  await quarantine(ledger, 'in/b.csv');
  await quarantine(ledger, 'in/d.csv');
  const one = await octoHost(['files', 'release', 'in/*'], environment);
  expect(one.code).toBe(2);
  expect(one.stderr.text).toContain(
    "'in/*' means 2 quarantined files; name one by its id, or add --all",
  );
  environment.stdout.text = '';
  const all = await octoHost(['files', 'release', 'in/*', '--all', '--json'], environment);
  expect(all.code).toBe(0);
  expect((JSON.parse(all.stdout.text) as { released: unknown[] }).released).toHaveLength(2);
});

test('what must not be opened cannot be released, and says why', async () => {
  const { environment, ledger } = await site(goodManifest);
  await ledger.refuse(scope, [
    { ...version('in/e.csv'), reason: 'SYMLINK: links are not followed' },
  ]);
  const { code, stdout, stderr } = await octoHost(['files', 'release', 'e.csv'], environment);
  expect(code).toBe(1);
  expect(stdout.text).toBe('');
  expect(stderr.text).toContain(
    "'in/e.csv' cannot be released: it may not be opened as it is (SYMLINK: links are not followed)",
  );
});
