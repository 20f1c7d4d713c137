/** Sinks that cannot be written to: S3 without bucket, permission or the right secret; disks that are full. */
import { randomUUID } from 'node:crypto';
import { mkdir, readdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type S3Simulator, startS3, VirtualTree, generatedContent } from '@octo/plugin-testing';
import { afterAll, beforeAll, expect, onTestFinished, test } from 'vitest';
import { canary } from './canaries.ts';
import { runTwice } from './run-twice.ts';
import { openSite, plugin, type SiteOptions, temporaryFolder, withLedger } from './site.ts';

withLedger();

const credentials = { accessKeyId: canary.s3AccessKeyId, secretAccessKey: canary.s3Secret };
let s3: S3Simulator;
beforeAll(async () => {
  s3 = await startS3({ credentials, buckets: ['lake'] });
});
afterAll(() => s3[Symbol.asyncDispose]());

/** A site that delivers one file into S3, each time below a prefix of its own. */
function intoS3(config: { readonly [name: string]: unknown }, env = {}): () => SiteOptions {
  return () => ({
    tree: new VirtualTree().file('/in/a.csv', 'x\n'),
    env: {
      PASSWORD: canary.password,
      ID: credentials.accessKeyId,
      SECRET: credentials.secretAccessKey,
      ...env,
    },
    sink: {
      use: plugin('sink-s3'),
      config: {
        bucket: 'lake',
        region: 'us-east-1',
        endpoint: s3.endpoint,
        prefix: randomUUID(),
        credentials: { accessKeyId: '${env:ID}', secretAccessKey: '${env:SECRET}' },
        ...config,
      },
    },
  });
}

test.each<[string, Parameters<typeof intoS3>, RegExp]>([
  [
    'a bucket that does not exist',
    [{ bucket: 'lakke' }],
    /^NO_SUCH_BUCKET: s3:\/\/lakke: \w+ failed: NoSuchBucket: The specified bucket does not exist — create the bucket lakke, or correct config\/bucket and config\/region$/,
  ],
  [
    'a wrong secret',
    [{}, { SECRET: canary.password }],
    /^SIGNATURE_DOES_NOT_MATCH: s3:\/\/lake: \w+ failed: SignatureDoesNotMatch: .* — correct config\/credentials$/,
  ],
  [
    'an access key that nobody has',
    [{}, { ID: 'AKIANOBODYNOBODYNOBO' }],
    /^INVALID_ACCESS_KEY_ID: s3:\/\/lake: \w+ failed: InvalidAccessKeyId: .* — correct config\/credentials$/,
  ],
  [
    'another region than that of the bucket',
    [{ region: 'eu-west-1' }],
    /^AUTHORIZATION_HEADER_MALFORMED: s3:\/\/lake: \w+ failed: AuthorizationHeaderMalformed: .*expecting 'us-east-1' — set config\/region to the bucket's region$/,
  ],
  [
    'a store that is not there',
    [{ endpoint: 'http://127.0.0.1:1' }],
    /^s3:\/\/lake\/UUID\/a.csv: HeadObject failed: ECONNREFUSED: connect ECONNREFUSED 127.0.0.1:PORT — nothing listens there: correct config\/endpoint, or the store is down$/,
  ],
])('%s is said, with what to do', async (_, [config, env], line) => {
  const before = s3.objects('lake').length;
  const { code, failed, refused } = await runTwice(intoS3(config, env));
  expect({ code, refused }).toEqual({ code: 3, refused: undefined });
  expect(failed?.['a.csv']).toMatch(line);
  expect(s3.objects('lake')).toHaveLength(before);
});

test.each([
  ['s3:PutObject', /CreateMultipartUpload failed: AccessDenied: .* — grant s3:PutObject to these/],
  [
    's3:GetObject',
    /^ACCESS_DENIED: s3:.*: HeadObject failed: HTTP 403 — grant s3:GetObject to these/,
  ],
  ['s3:AbortMultipartUpload', / — grant s3:AbortMultipartUpload to these credentials$/],
  ['s3:ListBucket', /: ListObjectsV2 failed: AccessDenied: .* — grant s3:ListBucket to these/],
])('without %s nothing is delivered, and the permission is named', async (permission, line) => {
  s3.denied.add(permission);
  onTestFinished(() => s3.denied.clear());
  const before = s3.objects('lake').length;
  const { code, failed } = await runTwice(intoS3({}));
  expect(code).toBe(3);
  expect(failed?.['a.csv']).toMatch(line);
  expect(s3.objects('lake')).toHaveLength(before);
});

test('what was wrong once is delivered as soon as it is put right', async () => {
  const site = await openSite(intoS3({})());
  s3.denied.add('s3:PutObject');
  expect((await site.run()).code).toBe(3);
  s3.denied.clear();
  expect((await site.runJson()).result).toMatchObject({ delivered: [{ path: '/in/a.csv' }] });
  expect(s3.uploads('lake').filter(({ key }) => key.endsWith('a.csv'))).toEqual([]);
});

test('a full disk fails the file that does not fit, and leaves nothing of it', async () => {
  const directory = join(await temporaryFolder(), 'out');
  const tree = new VirtualTree()
    .file('/in/large.csv', generatedContent(300_000))
    .file('/in/small.csv', 'x\n');
  const sink = { use: join(import.meta.dirname, 'full-disk-sink.ts'), config: { directory } };
  const { code, failed } = await runTwice(() => ({ tree, sink }));
  expect({ code, failed }).toEqual({
    code: 1,
    failed: {
      'large.csv':
        "DISK_FULL: no space left for folder 'FOLDER/out' (ENOSPC): free some space or raise the quota",
    },
  });
  expect(await readdir(directory)).toEqual(['.octo', 'small.csv']);
  expect(await readdir(join(directory, '.octo/staged'))).toEqual([]);
});

test.each([
  [
    'a file stands where the folder should be',
    'plugins.json',
    /is not a folder, so no object can be placed inside it/,
  ],
  [
    'a file stands on the way to the folder',
    'plugins.json/out',
    /is not a folder, so no object can be placed inside it/,
  ],
])('%s', async (_, directory, line) => {
  const tree = new VirtualTree().file('/in/a.csv', 'x\n');
  const { code, failed } = await runTwice(() => ({
    tree,
    sink: { use: plugin('sink-fs'), config: { directory } },
  }));
  expect(code).toBe(1);
  expect(failed?.['a.csv']).toMatch(line);
});

test('a folder that stands where the file should be is left alone', async () => {
  const site = await openSite({ tree: new VirtualTree().file('/in/a.csv', 'x\n') });
  await mkdir(join(site.folder, 'out/a.csv'), { recursive: true });
  await writeFile(join(site.folder, 'out/a.csv/theirs'), 'y');
  const { code, result } = await site.runJson();
  expect({ code, keys: result.delivered.map(({ key }) => key) }).toEqual({
    code: 0,
    keys: ['a~2.csv'],
  });
  expect(await site.visible()).toEqual(['a.csv/theirs', 'a~2.csv']);
});
