/** What a vendor may list: names that are traps, things that are no files, lists without end. */
import { generatedContent, SFTP_STATUS, VirtualTree } from '@octo/plugin-testing';
import { expect, test } from 'vitest';
import { failTwice, runTwice } from './run-twice.ts';
import { openSite, withLedger } from './site.ts';

withLedger();

const listed = (names: readonly (string | Uint8Array)[]) =>
  names.map((name) => ({ name, claimedSize: 2 }));

test('names that lead elsewhere or cannot be shown are refused, and never become paths', async () => {
  const long = 'é'.repeat(140);
  const names = ['..', '.', '../up.csv', 'a/b.csv', '/etc/passwd', 'nul\0.csv', 'line\nbreak.csv'];
  const traps = [
    'esc\u001b[31m.csv',
    'csi\u009b31m.csv',
    long,
    Buffer.from('caf\xe9.csv', 'latin1'),
  ];
  const tree = new VirtualTree()
    .file('/in/good.csv', 'x\n')
    .listing('/in', () => [
      ...listed(['good.csv', ...names, ...traps]),
      { name: 'link.csv', mode: 0o120777 },
      { name: 'pipe.csv', mode: 0o010644 },
      { name: 'device.csv', mode: 0o060644 },
      { name: 'sizeless.csv', claimedSize: 'none' },
    ]);
  const site = await openSite({ tree });
  const { code, stdout } = await site.run();
  expect(code).toBe(1);
  const rename = 'the vendor must rename it';
  const slash = `contains a slash; ${rename}`;
  const control = `contains control characters; ${rename}`;
  expect(stdout.split('\n').filter((line) => line.startsWith('refused '))).toEqual(
    [
      ['../up.csv', `UNSAFE_NAME: ../up.csv ${slash}`],
      ['a/b.csv', `UNSAFE_NAME: a/b.csv ${slash}`],
      ['/etc/passwd', `UNSAFE_NAME: /etc/passwd ${slash}`],
      ['nul\\x00.csv', `UNSAFE_NAME: nul\\u{0}.csv ${control}`],
      ['line\\nbreak.csv', `UNSAFE_NAME: line\\u{a}break.csv ${control}`],
      ['esc\\x1b[31m.csv', `UNSAFE_NAME: esc\\u{1b}[31m.csv ${control}`],
      ['csi\\x9b31m.csv', `UNSAFE_NAME: csi\\u{9b}31m.csv ${control}`],
      [long, `UNSAFE_NAME: ${long} is longer than 255 bytes; ${rename}`],
      [
        'caf\uFFFD.csv',
        `UNREADABLE_NAME: caf\uFFFD.csv is not UTF-8, so the file cannot be asked for; ${rename}`,
      ],
      ['link.csv', 'NOT_A_FILE: it is a symbolic link, and those are not followed'],
      ['pipe.csv', 'NOT_A_FILE: it is neither a file nor a folder'],
      ['device.csv', 'NOT_A_FILE: it is neither a file nor a folder'],
      ['sizeless.csv', 'NO_SIZE: the server does not tell its size'],
    ].map(([name, why]) => `refused /in/${name}: ${why}`),
  );
  expect(await site.visible()).toEqual(['good.csv']);
  // oxlint-disable-next-line no-control-regex -- what a terminal would obey
  const obeyed = /[\u0000-\u0009\u000b-\u001f\u007f-\u009f]/;
  expect((await site.octo(['files'])).stdout).not.toMatch(obeyed);
});

test('odd names that mean no harm are delivered as they are, and shown without harm', async () => {
  const odd = [
    'rtl\u202Evsc.exe',
    'invisible\u200b.csv',
    'n'.repeat(255),
    '-rf',
    '%2e%2e%2fup.csv',
    'back\\slash.csv',
    '$(touch hacked).csv',
    '{name}.csv',
    '${env:PASSWORD}.csv',
    '__proto__',
    'constructor',
    ' ',
    '~',
    '<img src=x>.csv',
  ];
  const tree = new VirtualTree();
  for (const [index, name] of odd.entries()) tree.file(`/in/${name}`, `${index}\n`);
  const site = await openSite({ tree });
  const { code, stdout } = await site.run();
  expect(code).toBe(0);
  const keys = odd.map((name) => name.replace('\\', '_'));
  expect(await site.visible()).toEqual(keys.toSorted());
  expect(stdout).toContain(String.raw`delivered /in/rtl\u202evsc.exe → rtl\u202evsc.exe (2 B)`);
  expect(stdout).toContain(String.raw`delivered /in/invisible\u200b.csv`);
});

test("a key that belongs to the sink's own folder is refused by it", async () => {
  const tree = new VirtualTree().file('/in/.octo', 'x').file('/in/good.csv', 'x');
  expect(await runTwice(() => ({ tree }))).toEqual({
    code: 1,
    visible: ['good.csv'],
    failed: {
      '.octo': `KEY_REFUSED: key ".octo" is refused: its first folder is the sink's own '.octo'; change "key" of the pipeline`,
    },
  });
});

test('a list without end is given up, whether its names are ours or not', async () => {
  const endless = () =>
    new VirtualTree().folder('/in').listing('/in', function* () {
      for (let number = 0; ; number++) yield { name: `${number}.csv` };
    });
  const limits = { maxFiles: 500 };
  expect(await failTwice(() => ({ tree: endless(), pipeline: { limits } }))).toEqual({
    code: 1,
    line: 'the vendor lists more than 500 files; narrow the pattern, or raise limits.maxFiles (LISTING_LIMIT)',
  });
  const site = await openSite({ tree: endless(), vendor: { pattern: 'never' } });
  const { code, stderr } = await site.run();
  expect(code).toBe(1);
  expect(stderr).toMatch(/the listing of \/in has more than 50000 entries .* \(LISTING_LIMIT\)\n$/);
});

test('a folder that is missing or closed ends the run with the setting to look at', async () => {
  expect(await failTwice(() => ({ vendor: { remoteDir: '/nope' } }))).toEqual({
    code: 2,
    line: "there is no folder '/nope'; check config/remoteDir or config/directory, and whether this login may see it (FOLDER_MISSING)",
  });
  const refuse = ({ name }: { name: string }) =>
    name === 'OPENDIR' ? SFTP_STATUS.permissionDenied : undefined;
  expect(await failTwice(() => ({ faults: { refuse } }))).toEqual({
    code: 3,
    line: 'sftp 127.0.0.1:PORT: cannot list /in: Permission denied (SFTP code 3); ask the vendor to give this user the permission (PERMISSION_DENIED)',
  });
});

test('a file at which the connection breaks every time does not take the others with it', async () => {
  const tree = new VirtualTree().file('/in/fatal.csv', generatedContent(300_000));
  for (const name of ['a', 'b', 'c']) tree.file(`/in/${name}.csv`, `${name}\n`);
  const site = await openSite({ tree, faults: { dropAt: { byte: 100_000, how: 'reset' } } });
  const { code, stdout } = await site.run();
  expect(stdout).toMatch(
    /^failed \/in\/fatal.csv: CONNECTION_LOST: sftp .*; it is tried again later$/m,
  );
  expect(code).toBe(3);
  expect(await site.visible()).toEqual(['a.csv', 'b.csv', 'c.csv']);
});
