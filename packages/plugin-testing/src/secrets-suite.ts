import { isPluginError, type SecretStore } from '@octo/plugin-api';
import { describe, expect, test } from 'vitest';
import { quiet } from './observations.ts';

/** A store, and a way to what is in it. */
export interface SecretStoreUnderTest extends AsyncDisposable {
  readonly store: SecretStore;
  /** Puts a secret there, or another value in its place. */
  put(name: string, value: string): void | Promise<void>;
  /** From now on the store refuses to give it to us. Where that cannot be had, the test is skipped. */
  deny?(name: string): void | Promise<void>;
  /** Makes the whole store fail, or work again. Where that cannot be had, the test is skipped. */
  setDown?(isDown: boolean): void | Promise<void>;
}

/** Called once a test: an empty store. */
export type OpenSecretStore = () => Promise<SecretStoreUnderTest>;

const VALUE = 'a-value-that-no-message-may-hold';
const ANSWERS_LATER = ['network', 'provider_down', 'rate_limit'];

/**
 * Holds a store of secrets to every sentence of the contract in `@octo/plugin-api`. Call it in a vitest file.
 *
 * @example
 * secretsSuite('my vault', async () => {
 *   const server = await startVault();
 *   return { store: new MyVault(server.url), put: (name, value) => server.put(name, value), ... };
 * });
 */
export function secretsSuite(name: string, open: OpenSecretStore): void {
  describe(`${name} keeps the contract of a store of secrets`, () => {
    valueTests(open);
    refusalTests(open);
    lifeTests(open);
  });
}

function valueTests(open: OpenSecretStore): void {
  test.each([
    ['plain', 'hunter2'],
    ['of several lines', '-----BEGIN KEY-----\nbm9uZQ==\n-----END KEY-----\n'],
    ['with spaces at its ends', '  spaced\t'],
    ['in other alphabets', 'пароль 密码 🔑'],
    ['that looks like JSON', '{"a":"b"}'],
    ['of 32 KiB', 'x'.repeat(32 * 1024)],
  ])('a value %s comes as it was put', async (_, value) => {
    await using place = await open();
    await place.put('octo/secret', value);
    expect(await place.store.get('octo/secret', quiet)).toBe(value);
  });

  test('a value that was changed is told at once: nothing is remembered', async () => {
    await using place = await open();
    await place.put('secret', 'one');
    expect(await place.store.get('secret', quiet)).toBe('one');
    await place.put('secret', 'two');
    expect(await place.store.get('secret', quiet)).toBe('two');
  });

  test('many may be asked for at the same time', async () => {
    await using place = await open();
    const names = Array.from({ length: 20 }, (_, index) => `secret-${index}`);
    for (const name of names) await place.put(name, `value of ${name}`);
    const values = await Promise.all(names.map((name) => place.store.get(name, quiet)));
    expect(values).toEqual(names.map((name) => `value of ${name}`));
  });
}

function refusalTests(open: OpenSecretStore): void {
  test('what is not there is not_found, and says which', async () => {
    await using place = await open();
    await place.put('secret', VALUE);
    const error = await refusal(place.store, 'secrte');
    expect(error.type).toBe('not_found');
    expect(error.message).toContain('secrte');
    expect(error.message).not.toContain(VALUE);
  });

  test.each(['', ' ', '../secret', '\0', 'x'.repeat(100_000)])(
    'a name that can be none (%j) is refused, and harms nothing',
    async (name) => {
      await using place = await open();
      await place.put('secret', VALUE);
      expect(['not_found', 'validation']).toContain((await refusal(place.store, name)).type);
      expect(await place.store.get('secret', quiet)).toBe(VALUE);
    },
  );

  test('what is not given to us is auth, without its value', async ({ skip }) => {
    await using place = await open();
    const deny = place.deny?.bind(place) ?? skip('nothing can be denied here');
    await place.put('secret', VALUE);
    await deny('secret');
    const error = await refusal(place.store, 'secret');
    expect(error.type).toBe('auth');
    expect(error.message).not.toContain(VALUE);
  });

  test('a store that fails says that it may pass, and gives again when it works', async ({
    skip,
  }) => {
    await using place = await open();
    const setDown = place.setDown?.bind(place) ?? skip('nothing can fail here');
    await place.put('secret', VALUE);
    await setDown(true);
    expect(ANSWERS_LATER).toContain((await refusal(place.store, 'secret')).type);
    await setDown(false);
    expect(await place.store.get('secret', quiet)).toBe(VALUE);
  });
}

function lifeTests(open: OpenSecretStore): void {
  test('an aborted signal is answered with its reason', async () => {
    await using place = await open();
    await place.put('secret', VALUE);
    const reason = new Error('the host stops');
    await expect(place.store.get('secret', AbortSignal.abort(reason))).rejects.toBe(reason);
    expect(await place.store.get('secret', quiet)).toBe(VALUE);
  });

  test('disposal is safe without start, after work, and twice', async () => {
    await using place = await open();
    await place.store[Symbol.asyncDispose]?.();
    await using used = await open();
    await used.put('secret', VALUE);
    await used.store.start?.(quiet);
    await used.store.get('secret', quiet);
    await used.store[Symbol.asyncDispose]?.();
    await expect(used.store[Symbol.asyncDispose]?.()).resolves.toBeUndefined();
  });

  test('a healthy store is healthy', async () => {
    await using place = await open();
    await place.store.start?.(quiet);
    await expect(Promise.resolve(place.store.health?.(quiet))).resolves.toBeUndefined();
    await place.store[Symbol.asyncDispose]?.();
  });
}

async function refusal(store: SecretStore, name: string) {
  const error: unknown = await store.get(name, quiet).then(
    () => new Error(`the store gave a secret '${name.slice(0, 40)}'`),
    (reason: unknown) => reason,
  );
  if (isPluginError(error)) return error;
  throw new Error('the store refuses, but not with a PluginError', { cause: error });
}
