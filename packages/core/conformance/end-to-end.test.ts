import { createHash, randomBytes } from 'node:crypto';
import { readFileSync, writeFileSync } from 'node:fs';
import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { gzipSync } from 'node:zlib';
import { startS3, type S3Simulator } from '@octo/plugin-testing';
import { describe, expect, test } from 'vitest';
import { Gpg, gpgMissing } from './support/gpg.ts';
import { lastJson, octoHost } from './support/octo-host.ts';
import { openSshMissing, startOpenSsh, type OpenSsh } from './support/open-ssh.ts';

const missing = openSshMissing() ?? gpgMissing();
if (missing !== undefined) console.warn(`end-to-end: not run, ${missing}`);

const packages = fileURLToPath(new URL('../../', import.meta.url));
const sha256 = (bytes: Uint8Array) => createHash('sha256').update(bytes).digest('hex');

interface Site extends AsyncDisposable {
  readonly folder: string;
  readonly ssh: OpenSsh;
  /** Plain SHA-256 by the name that the file is delivered under. */
  readonly expected: ReadonlyMap<string, string>;
}

/** A vendor on a real sshd with files that a real gpg made, and a folder with a manifest. */
async function openSite(sizes: readonly number[], to: string, plugins: object): Promise<Site> {
  const folder = await mkdtemp(join(tmpdir(), 'octo-e2e-'));
  const ssh = await startOpenSsh(folder);
  const expected = new Map<string, string>();
  using gpg = new Gpg();
  writeFileSync(join(folder, 'openpgp.asc'), gpg.privateKey(), { mode: 0o600 });
  sizes.forEach((size, index) => {
    const name = `feed-${index}.bin`;
    // Half random, half zeros: compresses, but not to nothing.
    const plain = Buffer.concat([randomBytes(size - (size >> 1)), Buffer.alloc(size >> 1)]);
    const inner = join(folder, 'plain');
    writeFileSync(inner, index % 2 === 0 ? gzipSync(plain) : plain);
    const suffix = index % 2 === 0 ? '.gz.pgp' : '.asc';
    gpg.encrypt(inner, join(ssh.root, `${name}${suffix}`), ...(index % 2 === 0 ? [] : ['--armor']));
    expected.set(name, sha256(plain));
  });
  writeFileSync(join(folder, 'plugins.json'), JSON.stringify(manifest(ssh, to, plugins), null, 2));
  return {
    folder,
    ssh,
    expected,
    async [Symbol.asyncDispose]() {
      await ssh[Symbol.asyncDispose]();
      await rm(folder, { recursive: true, force: true });
    },
  };
}

function manifest(ssh: OpenSsh, to: string, sinks: object): object {
  return {
    plugins: {
      vendor: {
        use: join(packages, 'provider-affirm'),
        config: {
          host: '127.0.0.1',
          port: ssh.port,
          username: ssh.username,
          privateKey: `\${file:${ssh.clientKeyFile}}`,
          hostKeys: [ssh.hostKey],
          remoteDir: ssh.root,
          pattern: '^feed-.*$',
          settleMs: 0,
        },
      },
      ...sinks,
    },
    pipelines: {
      feed: {
        from: 'vendor',
        to,
        steps: [{ decrypt: { keys: ['${file:openpgp.asc}'] } }, 'decompress'],
        key: 'in/{name}',
      },
    },
  };
}

const folderSink = { folder: { use: join(packages, 'sink-fs'), config: { directory: 'out' } } };

function s3Sink(s3: S3Simulator, more: object = {}): object {
  const { endpoint, region, credentials } = s3;
  const config = { bucket: 'lake', region, endpoint, forcePathStyle: true, credentials, ...more };
  return { lake: { use: join(packages, 'sink-s3'), config } };
}

/** Plain SHA-256 of what a reader of the bucket sees, by name. */
async function objects(s3: S3Simulator): Promise<Map<string, string>> {
  const seen = new Map<string, string>();
  for (const object of s3.objects('lake').filter(({ key }) => key.startsWith('in/')))
    seen.set(object.key.replace(/^in\//, ''), await object.sha256());
  return seen;
}

async function delivered(folder: string): Promise<Map<string, string>> {
  const names = await readdir(join(folder, 'out', 'in')).catch(() => []);
  return new Map(
    names.map((name) => [name, sha256(readFileSync(join(folder, 'out', 'in', name)))]),
  );
}

describe.runIf(missing === undefined)('octo-host run, with a real sshd and a real gpg', () => {
  test('delivers into a folder, and the second time nothing new', async () => {
    await using site = await openSite([1, 70_000, 3_000_000, 12_000_000], 'folder', folderSink);
    const first = await octoHost(['run', 'feed', '--json'], site.folder).ended;
    expect(first).toMatchObject({ code: 0 });
    expect(lastJson(first.stdout)).toMatchObject({ discovered: 4, quarantined: [], failed: [] });
    expect(await delivered(site.folder)).toEqual(site.expected);

    const second = await octoHost(['run', 'feed', '--json'], site.folder).ended;
    expect(second.code).toBe(0);
    expect(lastJson(second.stdout)).toMatchObject({ discovered: 4, delivered: [], duplicates: [] });
    expect(await delivered(site.folder)).toEqual(site.expected);
  });

  test('delivers into S3', async () => {
    await using s3 = await startS3({ buckets: ['lake'] });
    await using site = await openSite([1, 70_000, 3_000_000, 40_000_000], 'lake', s3Sink(s3));
    const first = await octoHost(['run', 'feed', '--json'], site.folder).ended;
    expect(first).toMatchObject({ code: 0, stderr: '' });
    expect(await objects(s3)).toEqual(site.expected);
    const second = await octoHost(['run', 'feed', '--json'], site.folder).ended;
    expect(lastJson(second.stdout)).toMatchObject({ delivered: [] });
  });
});

describe.runIf(missing === undefined)('kill -9 in the middle of a run, again and again', () => {
  const sizes = Array.from({ length: 12 }, (_, i) => 200_000 + i * 500_000);

  /** Killed from the start of the process to well into the files, then once left alone. Answers what is visible. */
  async function killedRuns(site: Site, visible: () => Promise<Map<string, string>>) {
    for (let round = 0; round < 8; round++) {
      const run = octoHost(['run', 'feed', '--json'], site.folder);
      const timer = setTimeout(() => run.process.kill('SIGKILL'), 350 + round * 130);
      await run.ended;
      clearTimeout(timer);
      for (const [name, hash] of await visible()) expect(site.expected.get(name)).toBe(hash);
    }
    const last = await octoHost(['run', 'feed', '--json'], site.folder).ended;
    expect(last.code).toBe(0);
    return await visible();
  }

  test('ends with each file once in the folder, byte for byte right', async () => {
    await using site = await openSite(sizes, 'folder', folderSink);
    expect(await killedRuns(site, () => delivered(site.folder))).toEqual(site.expected);
  });

  test('ends with each file once in S3, byte for byte right', async () => {
    await using s3 = await startS3({ buckets: ['lake'] });
    const sink = s3Sink(s3, { completeGraceMs: 500 });
    await using site = await openSite(sizes, 'lake', sink);
    expect(await killedRuns(site, () => objects(s3))).toEqual(site.expected);
  });
});
