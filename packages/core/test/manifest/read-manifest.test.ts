import { chmod, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { OctoError } from '../../src/errors/octo-error.ts';
import { readManifest } from '../../src/manifest/read-manifest.ts';

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'octo-manifest-'));
});
afterEach(() => rm(folder, { recursive: true, force: true }));

async function read(text: string | Uint8Array, env: Record<string, string> = {}) {
  const file = join(folder, 'plugins.json');
  await writeFile(file, text);
  return readManifest(file, { env });
}

async function refusal(text: string | Uint8Array, env: Record<string, string> = {}) {
  const error: unknown = await read(text, env).then(
    () => undefined,
    (reason: unknown) => reason,
  );
  if (!(error instanceof OctoError)) throw new Error('the manifest was accepted', { cause: error });
  return error;
}

/** The messages without the folder's name. */
async function complaints(text: string | Uint8Array, env: Record<string, string> = {}) {
  const { issues } = await refusal(text, env);
  return issues.map(({ message }) => message.replaceAll(`${folder}/`, ''));
}

/** The messages without their places, too. */
async function problems(text: string | Uint8Array, env: Record<string, string> = {}) {
  return (await complaints(text, env)).map((message) =>
    message.replace(/ \(plugins\.json:\d+:\d+\)$/, ''),
  );
}

const pair = `"plugins": { "vendor": { "use": "v" }, "lake": { "use": "l" } }`;
const withPipeline = (fields: string) =>
  `{ ${pair}, "pipelines": { "p": { "from": "vendor", "to": "lake", "key": "{name}"${fields} } } }`;

describe('a manifest that is right', () => {
  test('gets the defaults that the papers name', async () => {
    const manifest = await read(withPipeline(''));
    expect(manifest.folder).toBe(folder);
    expect(manifest.plugins.get('vendor')).toEqual({
      id: 'vendor',
      use: 'v',
      enabled: true,
      config: {},
      policy: {
        timeoutMs: 30_000,
        attempts: 4,
        refreshMs: 300_000,
        breaker: {
          failures: 5,
          withinMs: 3_600_000,
          openMs: 60_000,
          longestMs: 1_800_000,
          probeMs: 120_000,
        },
      },
      allow: { read: [], write: [], env: [], network: true, hosts: [], privateNetworks: false },
      code: '',
    });
    expect(manifest.pipelines.get('p')).toEqual({
      id: 'p',
      enabled: true,
      from: 'vendor',
      to: 'lake',
      steps: [],
      key: '{name}',
      schedule: undefined,
      timezone: 'UTC',
      verifyCommit: false,
      everyMs: undefined,
      catchUp: 'last',
      runs: { concurrency: 1, attempts: 4 },
      duplicates: 'name',
      onReissue: 'version',
      emptyFiles: 'quarantine',
      doubleRead: 'auto',
      settleMs: undefined,
      limits: {
        maxBytes: 20 * 1024 ** 3,
        maxRatio: 200,
        maxMembers: 10_000,
        maxTimeMs: 6 * 3_600_000,
        maxFiles: 50_000,
        maxMemory: 1024 ** 3,
      },
    });
  });

  test('says once for all plugins that they reach what is listed, and an instance says more', async () => {
    const plugins = `"plugins": { "vendor": { "use": "v" }, "lake": { "use": "l", "allow": { "egress": ["*"] } } }`;
    const closed = await read(`{ "egress": "listed", ${plugins} }`);
    expect([...closed.plugins.values()].map(({ allow }) => allow.egress)).toEqual([[], ['*']]);
    const open = await read(`{ ${plugins} }`);
    expect([...open.plugins.values()].map(({ allow }) => allow.egress)).toEqual([undefined, ['*']]);
  });

  test('may have comments, trailing commas and a byte order mark', async () => {
    const manifest = await read(`\uFEFF// ours\n{ /* two */ ${pair}, }`);
    expect([...manifest.plugins.keys()]).toEqual(['vendor', 'lake']);
  });

  test('spells periods, sizes and steps as people do', async () => {
    const manifest = await read(
      withPipeline(`, "every": "5m", "limits": { "maxBytes": "3MiB" },
        "steps": ["decompress", { "decrypt": { "keys": ["k"] } }]`),
    );
    const pipeline = manifest.pipelines.get('p');
    expect(pipeline?.everyMs).toBe(300_000);
    expect(pipeline?.limits.maxBytes).toBe(3 * 1024 ** 2);
    expect(pipeline?.steps).toEqual([
      { name: 'decompress', options: {} },
      { name: 'decrypt', options: { keys: ['k'] } },
    ]);
  });

  test('cannot be changed any more', async () => {
    const manifest = await read(withPipeline(`, "steps": [{ "decrypt": { "keys": ["k"] } }]`));
    const step = manifest.pipelines.get('p')?.steps[0];
    expect(Object.isFrozen(manifest.pipelines.get('p'))).toBe(true);
    expect(Object.isFrozen(manifest.plugins.get('lake')?.config)).toBe(true);
    expect(Object.isFrozen(step?.options)).toBe(true);
  });

  test('may use the names that objects have by themselves', async () => {
    const manifest = await read(`{ "plugins": { "constructor": { "use": "c" } } }`);
    expect(manifest.plugins.get('constructor')?.use).toBe('c');
  });
});

describe('references', () => {
  const config = (value: string) =>
    `{ "plugins": { "v": { "use": "v", "config": { "x": ${value} } } } }`;
  const x = async (value: string, env: Record<string, string> = {}) =>
    (await read(config(value), env)).plugins.get('v')?.config.x;

  test('take variables and files, several in one text', async () => {
    await mkdir(join(folder, 'keys'));
    await writeFile(join(folder, 'keys/a'), 'secret\n\n');
    expect(await x('"${env:A}/${file:keys/a}/${env:A}"', { A: '1' })).toBe('1/secret\n/1');
  });

  test('are not looked for in what they resolve to', async () => {
    expect(await x('"${env:A}"', { A: '${env:B}' })).toBe('${env:B}');
  });

  test('are escaped by doubling the dollar', async () => {
    expect(await x('"$${env:A} $$ {} $"')).toBe('${env:A} $$ {} $');
  });

  test('may stand for a number or a boolean of the manifest', async () => {
    const text = withPipeline(
      `, "concurrency": "\${env:N}", "enabled": "\${env:ON}", "doubleRead": "\${env:ON}", "limits": { "maxBytes": "\${env:MAX}" }`,
    );
    const manifest = await read(text, { N: '7', ON: 'false', MAX: '1000' });
    expect(manifest.pipelines.get('p')).toMatchObject({
      concurrency: 7,
      enabled: false,
      doubleRead: false,
      limits: { maxBytes: 1000 },
    });
  });

  test.each(['7x', '0x7', '1e400', '', ' 7', '７'])(
    'do not turn %j into a number',
    async (text) => {
      expect(await problems(withPipeline(`, "concurrency": "\${env:N}"`), { N: text })).toEqual([
        `pipeline 'p': concurrency must be a whole number`,
      ]);
    },
  );

  test('are no licence to write numbers in quotes', async () => {
    expect(await problems(withPipeline(`, "concurrency": "7"`))).toEqual([
      `pipeline 'p': concurrency must be a whole number`,
    ]);
  });

  test.each([
    ['${env:HOSTT}', "refers to ${env:HOSTT}, which is not set; did you mean 'HOST'?"],
    ['${env:a b}', 'refers to ${env:a b}, which is no name of an environment variable'],
    ['${file:none}', 'refers to ${file:none}, which does not exist'],
    ['${file:.}', 'refers to ${file:.}, which is a folder'],
    ['${file:}', 'refers to ${file:}, which names no file'],
    ['${file:/dev/null}', 'refers to ${file:/dev/null}, which is not a regular file'],
    ['${file:big}', 'refers to ${file:big}, which is larger than 1 MiB'],
    ['${file:binary}', 'refers to ${file:binary}, which is not UTF-8 text'],
    [
      '${secret:pgp}',
      'refers to ${secret:pgp}, which the store does not have; octo-host secrets set puts it there',
    ],
    ['${evn:A}', "has a reference of unknown kind 'evn'; did you mean 'env'?"],
    [
      '${A}',
      "has a reference of unknown kind 'A'; there are ${env:NAME}, ${file:path} and ${secret:name}",
    ],
    ['${env:A', 'has a reference ${…} that is not closed; write $${ for a plain ${'],
  ])('that lead nowhere are refused: %s', async (reference, problem) => {
    await writeFile(join(folder, 'big'), Buffer.alloc(1024 * 1024 + 1));
    await writeFile(join(folder, 'binary'), Buffer.from([0xff, 0xfe, 0xff]));
    expect(await problems(config(JSON.stringify(reference)), { HOST: 'h' })).toEqual([
      `plugin 'v': config/x ${problem}`,
    ]);
  });

  test('that may not be read say so', async () => {
    await writeFile(join(folder, 'locked'), 's');
    await chmod(join(folder, 'locked'), 0);
    if (process.getuid?.() === 0) return; // root may read everything
    expect((await complaints(config('"${file:locked}"')))[0]).toContain('may not be read');
  });

  test('never show their value', async () => {
    const text = withPipeline(
      `, "timezone": "\${env:S}", "schedule": "\${env:S}", "onReissue": "\${env:S}"`,
    )
      .replace('"from": "vendor"', '"from": "${env:S}"')
      .replace('"{name}"', '"{${env:S}}"');
    const { issues, message } = await refusal(text, { S: 'hunter2 hunter2' });
    expect(issues).toHaveLength(5);
    expect(JSON.stringify([issues, message])).not.toContain('hunter2');
    expect(message).toContain('${env:S}'); // the reference, not what it stands for
  });
});

describe('a file that cannot be read', () => {
  test('is named when it does not exist', async () => {
    await expect(readManifest(join(folder, 'none.json'), { env: {} })).rejects.toMatchObject({
      code: 'OCTO_MANIFEST_NOT_FOUND',
      message: `the manifest ${folder}/none.json does not exist; --manifest FILE names another one`,
    });
  });

  test('is told apart from a folder', async () => {
    await expect(readManifest(folder, { env: {} })).rejects.toThrow(
      'is a folder; name the file in it',
    );
  });

  test('is refused when it is larger than any manifest', async () => {
    const error = await refusal(`{ ${pair}, "//": "${'x'.repeat(1024 * 1024)}" }`);
    expect(error).toMatchObject({ code: 'OCTO_MANIFEST_UNREADABLE' });
  });

  test('is refused when it is not UTF-8', async () => {
    expect(await refusal(Buffer.from('{"a": "\xe9"}', 'latin1'))).toMatchObject({
      code: 'OCTO_MANIFEST_UNREADABLE',
      message: `the manifest ${folder}/plugins.json is not UTF-8 text`,
    });
  });

  test.each([
    ['', 'the file is empty; is it still being written? (plugins.json:1:1)'],
    [' // later\n', 'the file ends too early: a value is expected (plugins.json:2:1)'],
    ['{ "plugins": { "a"', 'the file ends too early: a colon is expected (plugins.json:1:19)'],
    ['{\n  "plugins" {}\n}', 'a colon is expected (plugins.json:2:13)'],
    ['{ "plugins": {} "pipelines": {} }', 'a comma is expected (plugins.json:1:17)'],
    [
      '{ "plugins": hunter2 }',
      'something is not JSON here; a text without quotes? (plugins.json:1:14)',
    ],
    ['{} {}', 'something follows after the end of the manifest (plugins.json:1:4)'],
    ['{ "plugins": "a\nb" }', 'a text is not closed (plugins.json:1:14)'],
  ])('says what is wrong with %j', async (text, problem) => {
    const [message, ...more] = await complaints(text);
    expect(message).toBe(`the manifest cannot be read: ${problem}`);
    expect(more).toEqual([]);
  });

  test('is refused when it is nested without end', async () => {
    const text = `${'['.repeat(100_000)}${']'.repeat(100_000)}`;
    expect(await complaints(text)).toEqual([
      'the manifest is nested more than 64 levels deep (plugins.json:1:65)',
    ]);
  });
});

describe('a manifest that is wrong', () => {
  test('may not say the same thing twice', async () => {
    expect(
      await complaints(`{ "plugins": {\n "a": { "use": "x" },\n "a": { "use": "y" } } }`),
    ).toEqual(["plugin 'a' is there twice; the first is at plugins.json:2:2 (plugins.json:3:2)"]);
  });

  test('may not reach into prototypes', async () => {
    const text = `{ "plugins": { "a": { "use": "x", "config": { "__proto__": { "admin": true } } } } }`;
    expect(await complaints(text)).toEqual([
      "'__proto__' is not allowed as a name (plugins.json:1:47)",
    ]);
    expect(({} as { admin?: boolean }).admin).toBeUndefined();
  });

  test('must name something', async () => {
    expect(await complaints('{}')).toEqual([
      'the manifest names neither a plugin nor a pipeline (plugins.json:1:1)',
    ]);
  });

  test.each(['[]', '"text"', '7', 'null'])('must be an object, not %s', async (text) => {
    expect(await complaints(text)).toEqual([
      'the manifest must be an object {…} (plugins.json:1:1)',
    ]);
  });

  test.each([
    [`, "onReisue": "version"`, `onReisue is not known; did you mean 'onReissue'?`],
    [`, "limits": { "maxByte": 5 }`, `limits/maxByte is not known; did you mean 'maxBytes'?`],
    [
      `, "limits": { "maxBytes": "20 GB" }`,
      `limits/maxBytes has not the right form; such as '20GiB', '500MiB' or 1073741824`,
    ],
    [`, "limits": { "maxBytes": "999999999999TiB" }`, `limits/maxBytes is too large`],
    [`, "every": "5 min"`, `every has not the right form; such as '15s', '5m' or '1h'`],
    [`, "onReissue": "keep"`, `onReissue must be 'version', 'overwrite' or 'quarantine'`],
    [`, "concurrency": 0`, `concurrency must be at least 1`],
    [`, "concurrency": 2.5`, `concurrency must be a whole number`],
    [`, "steps": "decrypt"`, `steps must be a list […]`],
    [`, "steps": [{}]`, `steps/0 must not be empty`],
    [`, "steps": [{ "decrypt": true }]`, `steps/0/decrypt must be an object {…}`],
    [
      `, "schedule": "61 * * * *"`,
      `schedule is no cron expression: minute hour day month weekday, such as '45 3 * * 2-6'`,
    ],
    [
      `, "schedule": "* * * *"`,
      `schedule has 4 fields; five are needed: minute hour day month weekday, such as '45 3 * * 2-6'`,
    ],
    [`, "schedule": "0 0 31 2 *"`, `schedule never comes`],
    [
      `, "schedule": "0 0 * * *", "every": "5m"`,
      `every stands beside 'schedule'; a pipeline has one of both`,
    ],
    [
      `, "timezone": "America/NewYork"`,
      `timezone names 'America/NewYork', which is no IANA time zone; did you mean 'America/New_York'?`,
    ],
  ])('is refused with a hint: %s', async (fields, problem) => {
    expect(await problems(withPipeline(fields))).toEqual([`pipeline 'p': ${problem}`]);
  });

  test.each([
    ['{nam}', "has {nam}, which is not known; did you mean '{name}'?"],
    ['{Name}', "has {Name}, which is not known; did you mean '{name}'?"],
    [
      '{na me}',
      "has {na me}, which is no word; known are {pipeline}, {provider}, {path}, {name}, {date:yyyy/MM/dd} and the named groups of the provider's pattern",
    ],
    ['{date:YYYY}', 'has {date:YYYY}, which has no part of a date; such as {date:yyyy/MM/dd}'],
    ['{date:yyyy-DD}', 'has {date:yyyy-DD}; the parts of a date are yyyy, MM, dd, HH, mm and ss'],
    ['{name', 'has a brace without its partner'],
    ['/{name}', 'begins with a slash; keys are relative to the sink'],
    ['a/../{name}', "has an empty, '.' or '..' segment"],
    ['a//{name}', "has an empty, '.' or '..' segment"],
    ['a\\\\b', 'has control or invisible characters or a backslash'],
  ])('has its key template refused: %s', async (key, problem) => {
    const text = withPipeline('').replace('"{name}"', `"${key}"`);
    expect(await problems(text)).toEqual([`pipeline 'p': key ${problem}`]);
  });

  test.each(['{date}/{name}', '{date:yyyyMMdd}-{account}', '{pipeline}/{provider}/{path}'])(
    'has its key template accepted: %s',
    async (key) => {
      const manifest = await read(withPipeline('').replace('"{name}"', `"${key}"`));
      expect(manifest.pipelines.get('p')?.key).toBe(key);
    },
  );

  test('cannot open every address to one end of a pipeline and close them to the other', async () => {
    const withEgress = (vendor: string, lake: string, top = '') =>
      `{ ${top} "plugins": { "vendor": { "use": "v", "allow": ${vendor} }, "lake": { "use": "l", "allow": ${lake} } },
         "pipelines": { "p": { "from": "vendor", "to": "lake", "key": "{name}" } } }`;
    const listed = '{ "egress": ["sftp.example.com:22"] }';
    const found = [
      `plugin 'lake': allow/egress opens every public address, but shares the process of pipeline 'p' with 'vendor', which is to reach what is listed; list the hosts of both, or write ["*"] for both; "network": false for one that needs none`,
    ];
    expect(await problems(withEgress(listed, '{ "egress": ["*"] }'))).toEqual(found);
    expect(await problems(withEgress('{}', '{ "egress": ["*"] }', '"egress": "listed",'))).toEqual(
      found,
    );
    for (const other of ['{}', listed, '{ "egress": ["*"], "network": false }'])
      expect((await read(withEgress(listed, other))).plugins.size).toBe(2);
  });

  test('is told where from and to may lead', async () => {
    const text = withPipeline('')
      .replace('"to": "lake"', '"to": "lakes"')
      .replace('"vendor",', '"sea",');
    expect(await problems(text)).toEqual([
      "pipeline 'p': from names 'sea', which is not among the plugins; there is 'vendor' or 'lake'",
      "pipeline 'p': to names 'lakes', which is not among the plugins; did you mean 'lake'?",
    ]);
  });

  test('has plain names for what it names', async () => {
    expect(await complaints(`{ "plugins": { "My Lake": { "use": "x" } } }`)).toEqual([
      "plugin 'My Lake' is no allowed name: lower-case letters, digits, - and _, up to 63 (plugins.json:1:16)",
    ]);
  });

  test('is refused with everything that is wrong, in the order of the file', async () => {
    const { message, issues } = await refusal(`{
  "plugin": {},
  "plugins": { "lake": { "uses": "x", "config": { "k": "\${env:NONE}" } } },
  "pipelines": { "p": { "from": "lak", "key": "{name}" } }
}`);
    expect(issues.map(({ pointer, where }) => [pointer, where?.split('plugins.json')[1]])).toEqual([
      ['/plugin', ':2:3'],
      ['/plugins/lake/uses', ':3:26'],
      ['/plugins/lake/config/k', ':3:56'],
      ['/pipelines/p/to', ':4:23'],
      ['/pipelines/p/from', ':4:33'],
    ]);
    expect(message).toBe(`${issues[0]?.message} (and 4 more)`);
  });

  test('cannot smuggle control characters into a terminal', async () => {
    const text = `{ "plugins": { "a": { "use": "x", "\\u001b[2J\\u202e": 1 } } }`;
    expect((await complaints(text))[0]).toContain("plugin 'a': \\x1b[2J\\u202e is not known");
  });
});

describe('webhooks', () => {
  const manifest = (webhook: string) =>
    `{ "plugins": { "a": { "use": "x" } }, "host": { "notify": { "ops": { ${webhook} } } } }`;
  const url = '"url": "https://ops.test/hook"';
  const secret = '"secret": "correct horse battery"';

  test('are told of what needs somebody, unless they say otherwise', async () => {
    const { webhooks } = await read(manifest(`${url}, ${secret}`));
    expect(webhooks?.get('ops')).toEqual({
      name: 'ops',
      allow: { hosts: [], privateNetworks: false },
      url: 'https://ops.test/hook',
      secret: 'correct horse battery',
      on: ['quarantined', 'failed', 'late'],
    });
  });

  test.each(['http://127.0.0.1:8080/hook', 'http://localhost/hook', 'https://ops.test'])(
    'may be at %s',
    async (at) => {
      const { webhooks } = await read(manifest(`"url": "${at}", ${secret}`));
      expect(webhooks?.get('ops')?.url).toBe(at);
    },
  );

  test.each(['http://ops.test/hook', 'http://localhost.evil.test/hook', 'ftp://ops.test/hook'])(
    'may not be at %s, where everybody could read along',
    async (at) => {
      const { code } = await refusal(manifest(`"url": "${at}", ${secret}`));
      expect(code).toBe('OCTO_MANIFEST_INVALID');
    },
  );

  test('know the pipelines that there are', async () => {
    expect(await problems(manifest(`${url}, ${secret}, "pipelines": ["daily"]`))).toEqual([
      expect.stringContaining(`names 'daily', which is not among the pipelines`),
    ]);
  });

  test('have a secret that is worth the name, and no complaint shows it', async () => {
    const [complaint = ''] = await problems(manifest(`${url}, "secret": "hunter2"`));
    expect(complaint).toContain('secret');
    expect(complaint).not.toContain('hunter2');
  });
});
