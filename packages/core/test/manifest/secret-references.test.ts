import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { OctoError } from '../../src/errors/octo-error.ts';
import type { Manifest } from '../../src/manifest/manifest.ts';
import { readManifest, type ReadManifestOptions } from '../../src/manifest/read-manifest.ts';
import { PlainSecrets, type Secrets } from './plain-secrets.ts';

let folder: string;
let secrets: PlainSecrets;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'octo-secrets-'));
  secrets = new PlainSecrets(folder);
});
afterEach(() => rm(folder, { recursive: true, force: true }));

async function read(
  manifest: object,
  stored: Secrets,
  options: Pick<ReadManifestOptions, 'sealed'> & { readonly isSealed?: boolean } = {},
): Promise<Manifest> {
  const file = join(folder, 'plugins.json');
  await writeFile(file, JSON.stringify(manifest, null, 2));
  await secrets.put(stored);
  if (options.isSealed === true) await secrets.seal();
  return await readManifest(file, { env: { HOST: 'sftp.test' }, secrets, ...options });
}

/** Code and message of everything that is wrong, without the places. */
async function complaints(...args: Parameters<typeof read>): Promise<string[]> {
  const error: unknown = await read(...args).catch((reason: unknown) => reason);
  if (!(error instanceof OctoError)) throw new Error('the manifest was taken', { cause: error });
  return error.issues.map(
    ({ code, message }) => `${code}: ${message.replace(/ \(\S+plugins\.json:\d+:\d+\)$/, '')}`,
  );
}

const plugin = (config: object) => ({ use: 'p', config });
const pipeline = (steps: object[], more: object = {}) => {
  return { from: 'acme', to: 'lake', key: '{name}', steps, ...more };
};

describe('a secret', () => {
  test('stands wherever a text may, in a part of one, and for a number', async () => {
    const { plugins, pipelines, host } = await read(
      {
        host: { notify: { ops: { url: 'https://ops.test/', secret: '${secret:hook}' } } },
        plugins: {
          acme: {
            ...plugin({ password: '${secret:pass}', url: 'u:${secret:pass}@${env:HOST}' }),
            policy: { timeoutMs: '${secret:patience}' },
          },
          lake: { use: 'p' },
        },
        pipelines: { trades: pipeline([{ decrypt: { keys: ['${secret:pgp}'] } }]) },
      },
      { pass: 'hunter2', patience: '1234', pgp: '-----BEGIN', hook: '0123456789abcdef' },
    );
    const acme = plugins.get('acme');
    expect(acme?.config).toEqual({ password: 'hunter2', url: 'u:hunter2@sftp.test' });
    expect(acme?.policy.timeoutMs).toBe(1234);
    expect(pipelines.get('trades')?.steps[0]?.options).toEqual({ keys: ['-----BEGIN'] });
    expect(host).toMatchObject({ notify: { ops: { secret: '0123456789abcdef' } } });
    expect(secrets.opened).toBe(1);
  });

  test('that nobody names leaves the store closed', async () => {
    await read({ plugins: { acme: plugin({ text: '$${secret:pass}' }) } }, { pass: 'hunter2' });
    expect(secrets.opened).toBe(0);
  });

  test('that is not there is a slip or is still to come, and no value is ever said', async () => {
    const manifest = {
      plugins: {
        acme: plugin({ a: '${secret:afirm-ssh}', b: '${secret:other}', c: '${secret:}' }),
      },
    };
    expect(await complaints(manifest, { 'affirm-ssh': 'hunter2' })).toEqual([
      "OCTO_REFERENCE_MISSING: plugin 'acme': config/a refers to ${secret:afirm-ssh}, which the store does not have; did you mean 'affirm-ssh'?",
      "OCTO_REFERENCE_MISSING: plugin 'acme': config/b refers to ${secret:other}, which the store does not have; octo-host secrets set puts it there",
      "OCTO_REFERENCE_INVALID: plugin 'acme': config/c refers to ${secret:}, which names no secret",
    ]);
  });

  test('is quoted by no problem of the place that it stands at', async () => {
    const manifest = {
      plugins: { acme: plugin({}), lake: plugin({}) },
      pipelines: {
        trades: pipeline([], { schedule: '${secret:pass}', timezone: '${secret:pass}' }),
        cash: pipeline([], { from: '${secret:pass}', key: '${secret:pass}{x' }),
      },
    };
    const all = await complaints(manifest, { pass: 'hunter2' });
    expect(all.length).toBeGreaterThan(3);
    expect(all.join()).not.toContain('hunter2');
  });
});

describe('a grant', () => {
  const named = {
    host: { notify: { ops: { url: 'https://ops.test/', secret: '${secret:pass}' } } },
    plugins: { acme: plugin({ a: { b: ['${secret:pass}'] } }), lake: plugin({}) },
    pipelines: { trades: pipeline([{ decrypt: { passphrase: '${secret:pass}' } }]) },
  };
  const value = '0123456789abcdef';

  test('is needed by whoever names the secret, and the problem says how to give it', async () => {
    expect(await complaints(named, { pass: { value, grants: ['lake', 'trades'] } })).toEqual([
      'OCTO_REFERENCE_NOT_GRANTED: host/notify/ops/secret refers to ${secret:pass}, which it was not granted; octo-host secrets grant pass --for host:notify',
      "OCTO_REFERENCE_NOT_GRANTED: plugin 'acme': config/a/b/0 refers to ${secret:pass}, which it was not granted; octo-host secrets grant pass --for acme",
      "OCTO_REFERENCE_NOT_GRANTED: pipeline 'trades': steps/0/decrypt/passphrase refers to ${secret:pass}, which it was not granted; octo-host secrets grant pass --for pipeline:trades",
    ]);
  });

  test.each([
    ['to each of them', ['acme', 'pipeline:trades', 'host:notify']],
    ['to all', ['*']],
  ])('%s is enough', async (_, grants) => {
    const { plugins } = await read(named, { pass: { value, grants } });
    expect(plugins.get('acme')?.config).toEqual({ a: { b: [value] } });
  });

  test('cannot be given to the rest of the manifest', async () => {
    const manifest = { plugins: { acme: plugin({}) }, allowRemovals: '${secret:pass}' };
    expect(await complaints(manifest, { pass: 'true' })).toEqual([
      "OCTO_REFERENCE_INVALID: 'allowRemovals' refers to ${secret:pass}, but only plugins, pipelines and sections of the host are granted secrets",
    ]);
  });
});

describe('a store that does not open', () => {
  const manifest = {
    host: {
      api: { tls: { cert: 'x', key: '${secret:tls}' } },
      notify: {
        ops: { url: 'https://ops.test/', secret: '${secret:hook}' },
        desk: { url: 'https://desk.test/', secret: '0123456789abcdef' },
      },
    },
    plugins: {
      acme: {
        ...plugin({ a: '${secret:a}', b: '${secret:b}' }),
        policy: { attempts: '${secret:n}' },
      },
      bank: plugin({}),
      lake: plugin({}),
      off: { ...plugin({ a: '${secret:a}' }), enabled: false },
    },
    pipelines: {
      trades: pipeline([]),
      cash: pipeline([], { from: 'bank' }),
      coded: pipeline([{ decrypt: { keys: ['${secret:pgp}'] } }], { from: 'bank', every: '1h' }),
    },
  };
  const sealed = { isSealed: true };

  test('is one problem, however many secrets are named', async () => {
    expect(await complaints(manifest, {}, sealed)).toEqual([
      'OCTO_SECRETS_SEALED: host/api/tls/key refers to ${secret:tls}, and 6 more such: the store is sealed; put the key back',
    ]);
  });

  test('does not hide what else is wrong', async () => {
    const all = await complaints({ ...manifest, pipelines: { x: { from: 'bank' } } }, {}, sealed);
    expect(all).toHaveLength(3);
    expect(all.join()).toContain("pipeline 'x': key is missing");
  });

  test('holds what needs it, and what needs that; all else lives', async () => {
    const { plugins, pipelines, webhooks, host, held } = await read(
      manifest,
      {},
      { ...sealed, sealed: 'hold' },
    );
    const live = [...plugins.values(), ...pipelines.values()].filter(({ enabled }) => enabled);
    expect(live.map(({ id }) => id)).toEqual(['bank', 'lake', 'cash']);
    expect([...(webhooks?.keys() ?? [])]).toEqual(['desk']);
    expect(host?.api).toBeUndefined();
    expect([...(held ?? [])].map(([at, { code, pointer }]) => [at, code, pointer])).toEqual([
      ['/host/api', 'OCTO_SECRETS_SEALED', '/host/api/tls/key'],
      ['/host/notify/ops', 'OCTO_SECRETS_SEALED', '/host/notify/ops/secret'],
      ['/plugins/acme', 'OCTO_SECRETS_SEALED', '/plugins/acme/config/a'],
      ['/pipelines/coded', 'OCTO_SECRETS_SEALED', '/pipelines/coded/steps/0/decrypt/keys/0'],
      ['/pipelines/trades', 'OCTO_SECRETS_SEALED', '/pipelines/trades/from'],
    ]);
    expect(held?.get('/plugins/acme')?.message).toMatch(
      /^plugin 'acme': config\/a waits for \$\{secret:a\}: the store is sealed; put the key back \(/,
    );
  });

  test('holds nothing once it opens', async () => {
    const stored = { a: '1', b: '2', n: '3', pgp: '4', tls: '5', hook: '0123456789abcdef' };
    const { held, plugins } = await read(manifest, stored, { sealed: 'hold' });
    expect(held).toEqual(new Map());
    expect(plugins.get('acme')).toMatchObject({ enabled: true, policy: { attempts: 3 } });
  });

  test('that fails in a way nobody foresaw is a defect and not a sealed store', async () => {
    const file = join(folder, 'plugins.json');
    await writeFile(file, JSON.stringify(manifest));
    const broken = { files: [], open: () => Promise.reject(new TypeError('oops')) };
    const reading = readManifest(file, { env: {}, secrets: broken, sealed: 'hold' });
    await expect(reading).rejects.toThrow(TypeError);
  });
});
