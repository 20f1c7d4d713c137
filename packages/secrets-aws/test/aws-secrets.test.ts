import { CLOCK, type SecretStore } from '@octo/plugin-api';
import { ManualClock, RecordingLogger } from '@octo/plugin-testing';
import { pluginSuite, secretsSuite } from '@octo/plugin-testing/suites';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import plugin from '../src/index.ts';
import { FakeSecretsManager } from './start-secrets-manager.ts';

const signal = new AbortController().signal;
const credentials = { accessKeyId: 'AKIDEXAMPLE', secretAccessKey: 'synthetic-secret-key' };

function storeAt(endpoint: string, clock = new ManualClock(), more: object = {}): SecretStore {
  expect(plugin.inject).toEqual({ clock: CLOCK });
  const config = {
    region: 'eu-central-1',
    prefix: '',
    versionStage: 'AWSCURRENT',
    timeoutMs: 10_000,
    endpoint,
    credentials,
    ...more,
  };
  const context = { id: 'aws', config, clock, logger: new RecordingLogger(), baseFolder: '/' };
  return plugin.create(context as never) as SecretStore;
}

pluginSuite(plugin);

secretsSuite('AWS Secrets Manager', async () => {
  const fake = await FakeSecretsManager.start();
  return {
    store: storeAt(fake.url),
    put: (name, value) => void fake.secrets.set(name, { AWSCURRENT: value }),
    deny: (name) => void fake.secrets.set(name, { status: 400, error: 'AccessDeniedException' }),
    setDown: (isDown) =>
      void (fake.failure = isDown ? { status: 503, error: 'ServiceUnavailable' } : undefined),
    [Symbol.asyncDispose]: () => fake[Symbol.asyncDispose](),
  };
});

describe('a secret of AWS', () => {
  let fake: FakeSecretsManager;
  beforeEach(async () => void (fake = await FakeSecretsManager.start()));
  afterEach(() => fake[Symbol.asyncDispose]());

  test('has a prefix before its name, and a stage', async () => {
    await using store = storeAt(fake.url, new ManualClock(), {
      prefix: 'octo/prod/',
      versionStage: 'AWSPREVIOUS',
    }) as SecretStore & AsyncDisposable;
    fake.secrets.set('octo/prod/db', { AWSCURRENT: 'new', AWSPREVIOUS: 'old' });
    expect(await store.get('db', signal)).toBe('old');
    expect(fake.asked).toEqual(['octo/prod/db']);
  });

  test('that is JSON gives one field', async () => {
    await using store = storeAt(fake.url) as SecretStore & AsyncDisposable;
    const value = JSON.stringify({
      user: 'octo',
      password: 'hunter2',
      port: 5432,
      tls: true,
      no: null,
    });
    fake.secrets.set('db', { AWSCURRENT: value });
    expect(await store.get('db#password', signal)).toBe('hunter2');
    expect(await store.get('db#port', signal)).toBe('5432');
    expect(await store.get('db#tls', signal)).toBe('true');
    expect(await store.get('db', signal)).toBe(value);
    for (const field of ['pasword', 'no', 'toString']) {
      const refusal: unknown = await store
        .get(`db#${field}`, signal)
        .catch((error: unknown) => error);
      expect(refusal).toMatchObject({ type: 'not_found', code: 'NO_FIELD' });
      expect(String(refusal)).not.toContain('hunter2');
    }
  });

  test.each(['hunter2 {', '["hunter2"]', '"hunter2"'])(
    'that is %s has no fields',
    async (value) => {
      await using store = storeAt(fake.url) as SecretStore & AsyncDisposable;
      fake.secrets.set('db', { AWSCURRENT: value });
      const refusal: unknown = await store.get('db#a', signal).catch((error: unknown) => error);
      expect(refusal).toMatchObject({ type: 'validation', code: 'NOT_JSON' });
      expect(String(refusal)).not.toContain('hunter2');
    },
  );

  test('that is bytes is refused', async () => {
    await using store = storeAt(fake.url) as SecretStore & AsyncDisposable;
    fake.secrets.set('key', { AWSCURRENT: new Uint8Array([1, 2]) });
    await expect(store.get('key', signal)).rejects.toMatchObject({ code: 'NO_TEXT' });
  });

  test.each(['#a', 'db#', 'a b', 'ä'])('is not asked for as %j', async (name) => {
    await using store = storeAt(fake.url) as SecretStore & AsyncDisposable;
    await expect(store.get(name, signal)).rejects.toMatchObject({ type: 'validation' });
    expect(fake.asked).toEqual([]);
  });

  test.each([
    [400, 'AccessDeniedException', 'auth'],
    [400, 'DecryptionFailure', 'auth'],
    [403, 'ExpiredTokenException', 'auth'],
    [400, 'InvalidRequestException', 'not_found'],
    [400, 'ThrottlingException', 'rate_limit'],
    [500, 'InternalServiceError', 'provider_down'],
    [502, 'SomethingNew', 'provider_down'],
  ])('that is refused with %i %s is %s, and says which', async (status, error, type) => {
    await using store = storeAt(fake.url) as SecretStore & AsyncDisposable;
    fake.failure = { status, error };
    const refusal: unknown = await store.get('db', signal).catch((reason: unknown) => reason);
    expect(refusal).toMatchObject({ type });
    expect(String(refusal)).toMatch(/db: /);
    expect(fake.asked).toHaveLength(1);
  });

  test('does not come for ever, nor from an address where nobody is', async () => {
    const clock = new ManualClock();
    await using store = storeAt(fake.url, clock) as SecretStore & AsyncDisposable;
    fake.failure = 'hang';
    const asking = store.get('db', signal).catch((reason: unknown) => reason);
    await clock.untilSleeping(1);
    await clock.advance(10_000);
    expect(await asking).toMatchObject({ type: 'network', code: 'TIMEOUT' });
    const { url } = fake;
    await fake[Symbol.asyncDispose]();
    await using gone = storeAt(url) as SecretStore & AsyncDisposable;
    await expect(gone.get('db', signal)).rejects.toMatchObject({ type: 'network' });
    fake = await FakeSecretsManager.start();
  });
});
