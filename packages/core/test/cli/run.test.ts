import { PluginError } from '@octo/plugin-api';
import { expect, test } from 'vitest';
import { Interrupted } from '../../src/cli/environment.ts';
import { OctoError } from '../../src/errors/octo-error.ts';
import { Redactor } from '../../src/observe/redactor.ts';
import type { RunEvent, RunReport } from '../../src/pipeline/run-report.ts';
import { roomsWithRun } from './fake-rooms.ts';
import { octoHost, testEnvironment } from './test-environment.ts';

const delivered = { path: 'in/a.csv.gz', key: 'affirm/a.csv', bytes: 12_345_678, sha256: 'ab12' };
const mixed: Partial<RunReport> = {
  discovered: 4,
  delivered: [delivered],
  duplicates: [{ path: 'in/b.csv', of: 'in/a.csv.gz' }],
  quarantined: [{ path: 'in/c.csv.pgp', reason: 'TAMPERED: the message was changed on its way' }],
  failed: [{ path: 'in/d.csv', error: 'read timed out', unreachable: false }],
};
const mixedEvents: RunEvent[] = [
  { event: 'connecting' },
  { event: 'listed', files: 4, bytes: 20_000_000, toDeliver: 4 },
  { event: 'delivered', path: delivered.path, key: delivered.key, bytes: delivered.bytes },
  { event: 'duplicate', path: 'in/b.csv', of: 'in/a.csv.gz' },
  {
    event: 'quarantined',
    path: 'in/c.csv.pgp',
    reason: 'TAMPERED: the message was changed on its way',
  },
  { event: 'failed', path: 'in/d.csv', error: 'read timed out' },
];

test('people read a line for each file, then what was refused, why, and what to do', async () => {
  const rooms = roomsWithRun(async (say) => {
    mixedEvents.forEach(say);
    return mixed;
  });
  const { code, stdout, stderr } = await octoHost(['run', 'affirm'], testEnvironment({ rooms }));
  expect(code).toBe(1);
  expect(stderr.lines).toEqual([
    'connecting to the vendor',
    '4 files at the vendor, 4 to deliver (20.0 MB)',
  ]);
  expect(stdout.text).toBe(`\
delivered in/a.csv.gz → affirm/a.csv (12.3 MB)
duplicate in/b.csv: same content as in/a.csv.gz
refused in/c.csv.pgp: TAMPERED: the message was changed on its way
failed in/d.csv: read timed out

affirm: 1 delivered (12.3 MB), 1 duplicate, 1 refused, 1 failed, in 0.0 s

Refused: set aside, nothing of it is visible at the sink:
  in/c.csv.pgp: TAMPERED: the message was changed on its way

Failed: the next run tries again:
  in/d.csv: read timed out

Next:
  octo-host files show in/c.csv.pgp     what happened to it, run by run
  octo-host files release in/c.csv.pgp  try it once more
`);
});

test('programs read exactly one JSON line, with the names of the contract in order', async () => {
  const rooms = roomsWithRun(async (say) => {
    mixedEvents.forEach(say);
    return mixed;
  });
  const { code, stdout } = await octoHost(['run', 'affirm', '--json'], testEnvironment({ rooms }));
  expect(code).toBe(1);
  expect(stdout.lines).toHaveLength(1);
  const result = JSON.parse(stdout.text) as Record<string, unknown>;
  expect(Object.keys(result)).toEqual([
    'pipeline',
    'discovered',
    'delivered',
    'duplicates',
    'quarantined',
    'failed',
    'pending',
    'warnings',
  ]);
  expect(result).toMatchObject({ ...mixed, pipeline: 'affirm' });
});

test('a run without anything new says so and is well', async () => {
  const rooms = roomsWithRun(async (say) => {
    say({ event: 'listed', files: 3, bytes: 1000, toDeliver: 0 });
    return { discovered: 3 };
  });
  const { code, stdout, stderr } = await octoHost(['run', 'affirm'], testEnvironment({ rooms }));
  expect(code).toBe(0);
  expect(stderr.text).toBe('3 files at the vendor\n');
  expect(stdout.lines).toEqual(['affirm: nothing new, in 0.0 s']);
});

test.each([
  ['network', 3],
  ['auth', 3],
  ['provider_down', 3],
  ['validation', 2],
] as const)('a vendor that fails with %s ends in one line and exit code %i', async (type, exit) => {
  const rooms = roomsWithRun(async () => {
    throw new PluginError(type, "vendor 'affirm' at sftp.test:22: that went wrong");
  });
  const text = await octoHost(['run', 'affirm'], testEnvironment({ rooms }));
  expect(text.code).toBe(exit);
  expect(text.stdout.text).toBe('');
  expect(text.stderr.lines).toEqual([
    "octo-host: vendor 'affirm' at sftp.test:22: that went wrong",
  ]);
  const json = await octoHost(['run', 'affirm', '--json'], testEnvironment({ rooms }));
  expect(json.code).toBe(exit);
  expect(json.stdout.lines).toHaveLength(1);
  expect(JSON.parse(json.stdout.text)).toMatchObject({
    pipeline: 'affirm',
    delivered: [],
    error: "vendor 'affirm' at sftp.test:22: that went wrong",
  });
});

test('a vendor that becomes unreachable in the middle is exit code 3, with what was delivered', async () => {
  const failed = [{ path: 'in/d.csv', error: 'connection lost', unreachable: true }];
  const rooms = roomsWithRun(async () => ({ ...mixed, failed }));
  const { code, stdout } = await octoHost(['run', 'affirm', '--json'], testEnvironment({ rooms }));
  expect(code).toBe(3);
  expect(JSON.parse(stdout.text)).toMatchObject({ delivered: [delivered] });
});

test('an interrupted run ends as the signal would, and its JSON says so', async () => {
  const stop = new AbortController();
  const rooms = roomsWithRun(async (_, signal) => {
    stop.abort(new Interrupted('SIGTERM'));
    throw signal.reason;
  });
  const environment = testEnvironment({ rooms, signal: stop.signal });
  const { code, stdout } = await octoHost(['run', 'affirm', '--json'], environment);
  expect(code).toBe(143);
  expect(JSON.parse(stdout.text)).toMatchObject({
    error: 'interrupted by SIGTERM; the next run takes up what was in flight',
  });
});

test('a defect ends in one line, with the stack only when asked for', async () => {
  const rooms = roomsWithRun(async () => {
    throw new TypeError('x is not a function');
  });
  const quiet = await octoHost(['run', 'affirm'], testEnvironment({ rooms }));
  expect(quiet.code).toBe(70);
  expect(quiet.stderr.lines).toHaveLength(1);
  expect(quiet.stderr.text).toContain('TypeError: x is not a function');
  const env = { OCTO_DEBUG: '1' };
  const loud = await octoHost(['run', 'affirm'], testEnvironment({ rooms, env }));
  expect(loud.stderr.text).toContain('run.test.ts');
});

test('secrets and control characters in what a plugin says reach no output', async () => {
  const redactor = new Redactor();
  redactor.add(['hunter2hunter2']);
  const reason = 'login as hunter2hunter2 \u001B[31mrefused';
  const rooms = roomsWithRun(async (say) => {
    say({ event: 'quarantined', path: 'a\r.csv', reason });
    return { quarantined: [{ path: 'a\r.csv', reason }] };
  });
  for (const argv of [
    ['run', 'affirm'],
    ['run', 'affirm', '--json'],
  ]) {
    const { stdout } = await octoHost(argv, testEnvironment({ rooms, redactor }));
    expect(stdout.text).toContain('[secret]');
    expect(stdout.text).not.toContain('hunter2');
    // oxlint-disable-next-line no-control-regex
    expect(stdout.text).not.toMatch(/[\u0000-\u0009\u000b-\u001f]/);
  }
});

test('every problem of a refused manifest gets a line of its own', async () => {
  const rooms = {
    ...roomsWithRun(async () => ({})),
    readManifest: async () => {
      throw new OctoError('OCTO_MANIFEST_INVALID', 'first (and 1 more)', {
        issues: [
          { code: 'OCTO_MANIFEST_INVALID', message: 'first', where: 'plugins.json:2:3' },
          { code: 'OCTO_KEY_TEMPLATE', message: 'second', where: 'plugins.json:9:1' },
        ],
      });
    },
  };
  const { code, stderr } = await octoHost(['run', 'affirm'], testEnvironment({ rooms }));
  expect(code).toBe(2);
  expect(stderr.lines).toEqual([
    'octo-host: plugins.json:2:3: first (OCTO_MANIFEST_INVALID)',
    'octo-host: plugins.json:9:1: second (OCTO_KEY_TEMPLATE)',
  ]);
});

test('the database opens while the plugins are looked at, and is closed when they are refused', async () => {
  const told: string[] = [];
  const opens = Promise.withResolvers<void>();
  const refused = Promise.withResolvers<void>();
  const opening = (name: string) => async () => {
    told.push(`${name} opens`);
    opens.resolve();
    await refused.promise;
    return { [Symbol.asyncDispose]: async () => void told.push(`${name} is closed`) } as never;
  };
  const rooms = {
    ...roomsWithRun(async () => ({})),
    openLedger: opening('ledger'),
    openPolicy: opening('policy'),
    createHost: async () => {
      told.push('plugins are looked at');
      await opens.promise;
      told.push('plugins are refused');
      refused.resolve();
      throw new OctoError('OCTO_PLUGIN_CREATE', 'no plugin');
    },
  };
  const { code, stderr } = await octoHost(['run', 'affirm'], testEnvironment({ rooms }));
  expect(code).toBe(2);
  expect(stderr.text).toContain('no plugin');
  expect(told).toEqual([
    'plugins are looked at',
    'ledger opens',
    'plugins are refused',
    'policy opens',
    'policy is closed',
    'ledger is closed',
  ]);
});

test('on a terminal the progress line makes room for the lines of files', async () => {
  const rooms = roomsWithRun(async (say) => {
    mixedEvents.forEach(say);
    return mixed;
  });
  const environment = testEnvironment({ rooms });
  environment.stdout.isTerminal = environment.stderr.isTerminal = true;
  const { stdout, stderr } = await octoHost(['run', 'affirm'], environment);
  expect(stdout.text).toContain('\u001B[32mdelivered\u001B[39m in/a.csv.gz');
  expect(stderr.text.endsWith('\r\u001B[K')).toBe(true);
  expect(environment.clock.pending).toBe(0);
});

test('NO_COLOR takes the colors away', async () => {
  const rooms = roomsWithRun(async (say) => {
    mixedEvents.forEach(say);
    return mixed;
  });
  const environment = testEnvironment({ rooms, env: { NO_COLOR: '1' } });
  environment.stdout.isTerminal = true;
  const { stdout } = await octoHost(['run', 'affirm'], environment);
  expect(stdout.text).not.toContain('\u001B[');
});

test('hints keep the manifest and the way the program was called, and quote for the shell', async () => {
  const rooms = roomsWithRun(async () => ({
    quarantined: [{ path: "in/it's here.csv", reason: 'TAMPERED' }],
  }));
  const env = { OCTO_HOST_COMMAND: 'npm run octo-host --' };
  const argv = ['run', 'affirm', '--manifest', 'conf/plugins.json'];
  const { stdout } = await octoHost(argv, testEnvironment({ rooms, env }));
  expect(stdout.text).toContain(
    String.raw`npm run octo-host -- files show 'in/it'\''s here.csv' --manifest conf/plugins.json`,
  );
});

test('--since and --path narrow the run; a day begins at midnight, UTC', async () => {
  const asked: unknown[] = [];
  const rooms = roomsWithRun(
    async () => ({}),
    ({ only }) => void asked.push(only),
  );
  const run = (...options: string[]) =>
    octoHost(['run', 'affirm', ...options], testEnvironment({ rooms }));
  await run('--since', '2026-01-15', '--path', 'in/*');
  await run('--since', '2026-01-15T03:45');
  await run('--since=2026-01-15T03:45:30+01:00');
  await run();
  expect(asked).toEqual([
    { since: Date.UTC(2026, 0, 15), path: 'in/*' },
    { since: Date.UTC(2026, 0, 15, 3, 45) },
    { since: Date.UTC(2026, 0, 15, 2, 45, 30) },
    {},
  ]);
});

test.each(['yesterday', '2026-13-01', '2026-01-15 03:45', '15.01.2026'])(
  "'%s' is no time to begin at",
  async (since) => {
    const rooms = roomsWithRun(async () => ({}));
    const { code, stderr } = await octoHost(
      ['run', 'affirm', '--since', since],
      testEnvironment({ rooms }),
    );
    expect(code).toBe(2);
    expect(stderr.text).toContain(`--since wants a day or a time, such as 2026-01-15`);
  },
);
