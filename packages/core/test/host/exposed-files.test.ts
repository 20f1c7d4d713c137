import { chmod, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { definePlugin } from '@octo/plugin-api';
import { ManualClock, RecordingLogger } from '@octo/plugin-testing';
import { expect, onTestFinished, test } from 'vitest';
import { InProcessHost } from '../../src/host/in-process-host.ts';
import { OctoError } from '../../src/errors/octo-error.ts';
import { readManifest } from '../../src/manifest/read-manifest.ts';
import { provider, shelf, sink } from './fake-plugins.ts';

const configSchema = {
  type: 'object',
  additionalProperties: false,
  properties: { password: { type: 'string', secret: true }, note: { type: 'string' } },
} as const;
const plugins = {
  vendor: definePlugin({
    name: 'vendor',
    kind: 'provider',
    configSchema,
    create: () => provider(),
  }),
  lake: definePlugin({
    name: 'lake',
    kind: 'sink',
    configSchema: { type: 'object', additionalProperties: false },
    create: () => sink(),
  }),
};
const made =
  '-----BEGIN OPENSSH PRIVATE KEY-----\nbm90IG9uZQ==\n-----END OPENSSH PRIVATE KEY-----\n';

/** What is said when a host is made of a manifest with this configuration, and files with these modes. */
async function refusal(config: object, files: Record<string, readonly [string, number]>) {
  const folder = await mkdtemp(join(tmpdir(), 'octo-exposed-'));
  onTestFinished(() => rm(folder, { recursive: true }));
  for (const [name, [content, mode]] of Object.entries(files)) {
    await writeFile(join(folder, name), content);
    await chmod(join(folder, name), mode);
  }
  const manifest = {
    plugins: { acme: { use: 'vendor', config }, lake: { use: 'lake' } },
    pipelines: { trades: { from: 'acme', to: 'lake', key: '{name}' } },
  };
  await writeFile(join(folder, 'plugins.json'), JSON.stringify(manifest));
  const options = {
    logger: new RecordingLogger(),
    clock: new ManualClock(),
    stateFolder: join(folder, '.octo'),
    stepKinds: [],
    loadPlugin: shelf(plugins),
  };
  try {
    const read = await readManifest(join(folder, 'plugins.json'), { env: {} });
    await using _host = await InProcessHost.create(read, options);
    return undefined;
  } catch (error) {
    if (!(error instanceof OctoError)) throw error;
    const { code, issues, message } = error;
    return { code, issues, message, folder };
  }
}

test.each([0o644, 0o604, 0o602, 0o660, 0o620])(
  'a password in a file of mode %o is refused, with the command that mends it',
  async (mode) => {
    const config = { password: '${file:password}' };
    const error = await refusal(config, { password: ['hunter2hunter2', mode] });
    expect(error).toMatchObject({ code: 'OCTO_SECRET_FILE_EXPOSED' });
    expect(error?.message).toContain(`chmod 600 '${join(error!.folder, 'password')}'`);
    expect(error?.message).not.toContain('hunter2');
  },
);

test.each([0o600, 0o400, 0o640, 0o440])('one of mode %o is taken', async (mode) => {
  const config = { password: '${file:password}' };
  expect(await refusal(config, { password: ['hunter2hunter2', mode] })).toBeUndefined();
});

test('a private key is one wherever it stands, and a note is none', async () => {
  const config = { note: '${file:note}' };
  expect(await refusal(config, { note: [made, 0o644] })).toMatchObject({
    code: 'OCTO_SECRET_FILE_EXPOSED',
  });
  expect(await refusal(config, { note: ['just a note', 0o644] })).toBeUndefined();
});
