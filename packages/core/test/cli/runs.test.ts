import { expect, test } from 'vitest';
import type { RunEnd } from '../../src/jobs/run-queue.ts';
import { goodManifest, site } from './site.ts';
import { octoHost } from './test-environment.ts';

const totals = {
  discovered: 2,
  delivered: 1,
  bytes: 2048,
  duplicates: 0,
  quarantined: 0,
  failed: 0,
  pending: 1,
};
const times = { ms: 1500, steps: [] };
const succeeded: RunEnd = {
  state: 'SUCCEEDED',
  totals,
  timings: { list: 300, total: 2000, connect: 200, deliver: 1500 },
  steps: [{ step: 'download', ms: 1400, bytesIn: 2048, bytesOut: 2048 }],
};

async function queued(...more: string[]) {
  const here = await site(goodManifest);
  const asked = await octoHost(['runs', 'request', 'trades', ...more], here.environment);
  const [id = ''] = asked.stdout.text.split(' ');
  const again = (...argv: string[]) => {
    const { stdout, stderr } = here.environment;
    stdout.text = stderr.text = '';
    return octoHost(argv, here.environment);
  };
  return { ...here, asked, id, again };
}

test('a request is queued, and says who will run it', async () => {
  const { asked, id, runs } = await queued(
    '--priority',
    '7',
    '--path',
    'in/*',
    '--since=2026-01-15',
  );
  expect(asked.code).toBe(0);
  expect(asked.stderr.text).toBe('no host runs here: it waits for octo-host start\n');
  expect(runs.entries.map(({ record }) => record)).toMatchObject([
    {
      id,
      state: 'QUEUED',
      request: {
        pipeline: 'trades',
        trigger: 'command',
        by: 'operator',
        priority: 7,
        path: 'in/*',
        since: Date.UTC(2026, 0, 15),
      },
    },
  ]);
});

test('the same key twice is one run; with another request it is refused', async () => {
  const { id, again, runs } = await queued('--key', 'k');
  const same = await again('runs', 'request', 'trades', '--key', 'k');
  expect(same.stdout.text).toBe(`${id} queued\n`);
  const other = await again('runs', 'request', 'trades', '--key', 'k', '--path', 'x');
  expect(other.code).toBe(2);
  expect(other.stderr.text).toContain("the key 'k' came with another request before");
  expect(runs.entries).toHaveLength(1);
});

test('runs are listed, and one is told with its files', async () => {
  const { id, again, runs } = await queued();
  const host = runs.host('host-1');
  const run = (await host.take('trades', 1))!;
  const files = [
    { path: 'a\u001B[2J.csv', outcome: 'delivered', key: 'a.csv', bytes: 2048, times },
    { path: 'b.csv', outcome: 'pending', reason: 'it may still be growing' },
  ] as const;
  await host.note(new Map([[run, { news: [], files }]]));
  await host.end(run, succeeded);
  expect((await again('runs')).stdout.lines).toEqual([
    'state      pipeline  asked at (UTC)       trigger  id                                    outcome',
    `succeeded  trades    2026-01-16 03:45:00  command  ${id}  1 delivered (2.05 kB), 1 pending`,
  ]);
  const { stdout } = await again('runs', 'show', id);
  expect(stdout.text).toContain(
    'took          connect 0.2 s, list 0.3 s, deliver 1.5 s, total 2.0 s',
  );
  expect(stdout.text).toContain('download  1.4 s  2.05 kB  2.05 kB');
  expect(stdout.text).toContain('delivered  a\\x1b[2J.csv  2.05 kB  1.5 s  a.csv');
  expect(stdout.text).toContain('pending    b.csv');
  const json = await again('runs', 'show', id, '--json');
  expect(JSON.parse(json.stdout.text)).toMatchObject({ run: { id, totals }, files: [{}, {}] });
  expect((await again('runs', '--only', 'queued,running')).stderr.text).toBe('no runs\n');
});

test('a queued run is cancelled, a running one told to stop, an ended one left', async () => {
  const { id, again, runs } = await queued();
  expect((await again('runs', 'cancel', id)).stdout.text).toBe(`${id} is cancelled\n`);
  expect(await again('runs', 'cancel', id)).toMatchObject({ code: 0 });
  const retried = await again('runs', 'retry', id);
  const [other = ''] = retried.stdout.text.split(' ');
  expect(other).not.toBe(id);
  const host = runs.host('host-1');
  const run = (await host.take('trades', 1))!;
  expect((await again('runs', 'cancel', other)).stdout.text).toBe(`${other} is told to stop\n`);
  await host.end(run, succeeded);
  expect(await again('runs', 'cancel', other)).toMatchObject({ code: 1 });
});

test.each([
  [['runs', 'show', 'x'], "there is no run 'x'"],
  [['runs', 'retry', 'x'], "there is no run 'x'"],
  [['runs', 'request', 'trade'], "did you mean 'trades'?"],
  [['runs', 'request', 'trades', '--priority', '101'], '--priority must be a whole number'],
  [['runs', 'request', 'trades', '--key='], '--key must have 1 to 255 characters'],
  [['runs', '--only', 'done'], '--only takes queued, running'],
  [['runs', '--limit', '0'], '--limit must be a whole number from 1 to 500'],
])('%j is refused', async (argv, message) => {
  const { environment, runs } = await site(goodManifest);
  const { code, stderr } = await octoHost(argv, environment);
  expect(code).toBe(2);
  expect(stderr.text).toContain(message);
  expect(runs.entries).toEqual([]);
});
