import type { Diagnosis } from '@octo/plugin-api';
import type { S3Simulator } from '@octo/plugin-testing';
import { expect, onTestFinished, test } from 'vitest';
import type { S3SinkConfig } from '../src/config-schema.ts';
import { ImpatientClock } from './impatient-clock.ts';
import { BUCKET, configFor, failureOf, quiet, simulator, sinkOf } from './open-sink.ts';

async function diagnose(
  s3: Pick<S3Simulator, 'endpoint' | 'region' | 'credentials'>,
  change: Partial<S3SinkConfig> = {},
): Promise<Diagnosis[]> {
  const sink = sinkOf(configFor(s3, change), new ImpatientClock());
  onTestFinished(() => sink[Symbol.asyncDispose]());
  return Array.fromAsync(sink.diagnose(quiet));
}

const outcomes = (steps: readonly Diagnosis[]): string[] =>
  steps.map(({ step, outcome }) => `${step} ${outcome}`);

test('a good store passes every step and keeps nothing', async () => {
  const s3 = await simulator();
  expect(outcomes(await diagnose(s3))).toEqual([
    'resolve passed',
    'connect passed',
    'login passed',
    'bucket passed',
    'write passed',
    'delete passed',
    'commit passed',
  ]);
  expect(s3.objects(BUCKET)).toEqual([]);
  expect(s3.uploads(BUCKET)).toEqual([]);
});

test('a name that does not exist stops at resolve', async () => {
  const s3 = await simulator();
  const steps = await diagnose({
    ...s3,
    credentials: s3.credentials,
    endpoint: 'http://nowhere.invalid:9',
  });
  expect(outcomes(steps)).toEqual(['resolve failed']);
  expect(steps[0]).toMatchObject({ error: { type: 'network' }, remedy: expect.any(String) });
});

test('a port where nobody listens stops at connect', async () => {
  const s3 = await simulator();
  await s3[Symbol.asyncDispose]();
  const steps = await diagnose(s3);
  expect(outcomes(steps)).toEqual(['resolve passed', 'connect failed']);
  expect(steps[1]).toMatchObject({ error: { type: 'network', code: 'NOT_CONNECTED' } });
});

test.each([
  ['accessKeyId', 'INVALID_ACCESS_KEY_ID'],
  ['secretAccessKey', 'SIGNATURE_DOES_NOT_MATCH'],
])('a wrong %s stops at login, and is not shown', async (name, code) => {
  const s3 = await simulator();
  const steps = await diagnose(s3, { credentials: { ...s3.credentials, [name]: 'WRONGWRONG' } });
  expect(outcomes(steps).slice(2)).toEqual(['login failed']);
  expect(steps.at(-1)).toMatchObject({
    error: { type: 'auth', code },
    remedy: 'correct config/credentials',
  });
  expect(JSON.stringify(steps.map(({ detail, remedy }) => [detail, remedy]))).not.toContain(
    'WRONGWRONG',
  );
});

test('a bucket that does not exist stops at bucket', async () => {
  const steps = await diagnose(await simulator(), { bucket: 'not-there' });
  expect(outcomes(steps).slice(2)).toEqual(['login passed', 'bucket failed']);
  expect(steps.at(-1)).toMatchObject({
    error: { type: 'auth', code: 'NO_SUCH_BUCKET' },
    remedy: expect.stringContaining('create the bucket not-there'),
  });
});

test('another region than the bucket is in stops at login', async () => {
  const s3 = await simulator({ region: 'eu-central-1' });
  const steps = await diagnose(s3, { region: 'us-east-1' });
  expect(steps.at(-1)).toMatchObject({
    step: 'login',
    outcome: 'failed',
    remedy: expect.stringContaining('config/region'),
  });
});

test.each([
  ['s3:ListBucket', 'bucket failed', 'grant s3:ListBucket'],
  ['s3:PutObject', 'write failed', 'grant s3:PutObject'],
  ['s3:AbortMultipartUpload', 'write failed', 'grant s3:AbortMultipartUpload'],
  ['s3:GetObject', 'commit failed', 'grant s3:GetObject'],
])('without %s: %s, with the permission to grant', async (permission, last, remedy) => {
  const s3 = await simulator();
  s3.denied.add(permission);
  const steps = await diagnose(s3);
  expect(outcomes(steps).at(-1)).toBe(last);
  expect(steps.at(-1)?.remedy).toContain(remedy);
});

test('without s3:DeleteObject there is a warning only', async () => {
  const s3 = await simulator();
  s3.denied.add('s3:DeleteObject');
  const steps = await diagnose(s3);
  expect(outcomes(steps).slice(5)).toEqual(['delete warned', 'commit warned']);
  expect(steps[5]?.remedy).toBe('grant s3:DeleteObject on in/lake/.octo-probe/*');
});

test('a store without atomic commits is warned about', async () => {
  const steps = await diagnose(await simulator({ conditionalWrites: 'racy' }));
  expect(steps.at(-1)).toMatchObject({ step: 'commit', outcome: 'warned' });
});

test('health asks for what every run needs', async () => {
  const s3 = await simulator();
  const sink = sinkOf(configFor(s3));
  onTestFinished(() => sink[Symbol.asyncDispose]());
  await sink.health(quiet);
  s3.denied.add('s3:ListBucket');
  expect((await failureOf(sink.health(quiet))).type).toBe('auth');
});

test('health of a bucket that is not there says so', async () => {
  const s3 = await simulator();
  const sink = sinkOf(configFor(s3, { bucket: 'octo-elsewhere' }));
  onTestFinished(() => sink[Symbol.asyncDispose]());
  expect(await failureOf(sink.health(quiet))).toMatchObject({
    code: 'NO_SUCH_BUCKET',
    message: expect.stringContaining('octo-elsewhere') as string,
  });
});

test('health writes nothing, and asks once', async () => {
  const s3 = await simulator();
  const sink = sinkOf(configFor(s3));
  onTestFinished(() => sink[Symbol.asyncDispose]());
  await sink.health(quiet);
  expect(s3.requests.map(({ operation }) => operation)).toEqual(['ListObjectsV2']);
});
