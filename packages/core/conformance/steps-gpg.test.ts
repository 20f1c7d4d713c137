import { spawnSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { isPluginError } from '@octo/plugin-api';
import { positionsIn, tamperedAt } from '@octo/plugin-testing';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import {
  makeStep,
  type Outcome,
  refusal,
  type RunOptions,
  runStep,
} from '../test/pipeline/steps/step-harness.ts';
import { gpgMissing } from './support/gpg.ts';

const missing = gpgMissing();
if (missing !== undefined) console.warn(`decrypt against gpg: not run, ${missing}`);

/** Signatures are made now, by gpg's clock. */
const now: RunOptions = { nowMs: Date.now() + 3_600_000, limits: { maxRatio: 1e6 } };
const table = Buffer.from(
  Array.from({ length: 40_000 }, (_, row) => `${row},K3PD-7QXZ,${row * 37}.00\n`).join(''),
);
const passphrase = 'correct horse';

/** A gpg with keys of every kind that still is in use. */
class Keyring implements Disposable {
  // Short, because the agent's socket lies in it and its path may have 107 bytes.
  readonly #home = mkdtempSync(join(tmpdir(), 'gpg-'));

  constructor() {
    this.#generate('rsa', 'Key-Type: RSA\nKey-Length: 3072\nSubkey-Type: RSA\nSubkey-Length: 3072');
    this.#generate(
      'weak',
      'Key-Type: RSA\nKey-Length: 1024\nSubkey-Type: RSA\nSubkey-Length: 1024',
    );
    this.#generate('single', 'Key-Type: RSA\nKey-Length: 2048\nKey-Usage: sign,encrypt');
    this.#generate(
      'elgamal',
      'Key-Type: DSA\nKey-Length: 2048\nSubkey-Type: ELG\nSubkey-Length: 2048',
    );
    this.#generate(
      'curve',
      'Key-Type: EDDSA\nKey-Curve: ed25519\nSubkey-Type: ECDH\nSubkey-Curve: cv25519',
    );
    this.#generate(
      'locked',
      'Key-Type: RSA\nKey-Length: 2048\nSubkey-Type: RSA\nSubkey-Length: 2048',
      passphrase,
    );
    this.#generate('vendor', 'Key-Type: RSA\nKey-Length: 3072');
    this.#generate('stranger', 'Key-Type: RSA\nKey-Length: 2048');
  }

  secret(name: string, how = '--export-secret-keys'): string {
    return this.run(['--armor', how, address(name)]).toString();
  }

  public(name: string): string {
    return this.run(['--armor', '--export', address(name)]).toString();
  }

  /** From standard input, as most scripts do: gpg does not know the length and writes partial ones. */
  encrypt(to: string, options: readonly string[] = [], plain: Uint8Array = table): Buffer {
    return this.run([...options, '--recipient', address(to), '--encrypt'], plain);
  }

  run(args: readonly string[], input: Uint8Array | string = ''): Buffer {
    const always = [
      '--homedir',
      this.#home,
      '--batch',
      '--yes',
      '--no-tty',
      '--trust-model',
      'always',
    ];
    const unlock = ['--pinentry-mode', 'loopback', '--passphrase', passphrase];
    const { status, stdout, stderr } = spawnSync('gpg', [...always, ...unlock, ...args], {
      input,
      maxBuffer: 64 * 1024 * 1024,
    });
    if (status !== 0) throw new Error(`gpg ${args.join(' ')}: ${stderr.toString()}`);
    return stdout;
  }

  [Symbol.dispose](): void {
    spawnSync('gpgconf', ['--homedir', this.#home, '--kill', 'all']);
    rmSync(this.#home, { recursive: true, force: true });
  }

  #generate(name: string, kind: string, secret?: string): void {
    const protection = secret === undefined ? '%no-protection' : `Passphrase: ${secret}`;
    this.run(
      ['--generate-key'],
      `${kind}\nName-Email: ${address(name)}\nExpire-Date: 0\n${protection}\n%commit\n`,
    );
  }
}

function address(name: string): string {
  return `${name}@test.invalid`;
}

describe.skipIf(missing !== undefined)('what a real gpg makes', () => {
  let gpg: Keyring;
  beforeAll(() => {
    gpg = new Keyring();
  });
  afterAll(() => gpg[Symbol.dispose]());

  async function decrypted(to: string, message: Uint8Array): Promise<Outcome> {
    const passphrases = [passphrase];
    return runStep(
      await makeStep('decrypt', { keys: [gpg.secret(to)], passphrases }),
      message,
      now,
    );
  }

  async function refused(to: string, message: Uint8Array) {
    return refusal(await makeStep('decrypt', { keys: [gpg.secret(to)] }), message, now);
  }

  test.each(['rsa', 'curve'])('every usual cipher, for a key of kind %s', async (key) => {
    for (const cipher of ['AES', 'AES192', 'AES256', '3DES', 'CAST5']) {
      const { contents } = await decrypted(key, gpg.encrypt(key, ['--cipher-algo', cipher]));
      expect(contents[0]?.bytes.equals(table), `with ${cipher}`).toBe(true);
    }
  });

  test('ciphers that the library does not know are refused like damage', async () => {
    for (const cipher of ['IDEA', 'BLOWFISH', 'TWOFISH', 'CAMELLIA256']) {
      for (const key of ['rsa', 'curve']) {
        const error = await refused(key, gpg.encrypt(key, ['--cipher-algo', cipher]));
        expect(error, `with ${cipher}`).toMatchObject({
          type: 'integrity',
          code: 'DECRYPT_FAILED',
        });
      }
    }
  });

  test.each(['rsa', 'weak', 'single', 'elgamal', 'curve', 'locked'])(
    'for a key of kind %s',
    async (key) => {
      const { contents } = await decrypted(key, gpg.encrypt(key));
      expect(contents[0]?.bytes.equals(table)).toBe(true);
    },
  );

  test.each([
    ['without compression', ['--compress-algo', 'none']],
    ['with ZIP', ['--compress-algo', 'zip']],
    ['with ZLIB', ['--compress-algo', 'zlib']],
    ['with BZIP2', ['--compress-algo', 'bzip2']],
    ['armored', ['--armor']],
    ['with a comment in its armor', ['--armor', '--comment', 'from the vendor']],
    ['for a hidden recipient', ['--throw-keyids']],
    ['for several', ['--recipient', 'curve@test.invalid', '--recipient', 'vendor@test.invalid']],
    ['for a password, too', ['--symmetric']],
    ['signed', ['--sign', '--local-user', 'vendor@test.invalid']],
    ['with a file name inside', ['--set-filename', '../../etc/passwd']],
  ])('%s', async (_, options) => {
    const { contents } = await decrypted('rsa', gpg.encrypt('rsa', options));
    expect(contents[0]?.bytes.equals(table)).toBe(true);
    expect(contents[0]?.name).toBe('file');
  });

  test('of any size', async () => {
    for (const size of [0, 1, 511, 512, 8192, 5_000_000]) {
      const plain = randomBytes(size);
      const { contents } = await decrypted('rsa', gpg.encrypt('rsa', [], plain));
      expect(contents[0]?.bytes.equals(plain), `${size} bytes`).toBe(true);
    }
  });

  test('for a key of which only the subkeys were exported', async () => {
    const keys = [gpg.secret('rsa', '--export-secret-subkeys')];
    const step = await makeStep('decrypt', { keys });
    const { contents } = await runStep(step, gpg.encrypt('rsa'), now);
    expect(contents[0]?.bytes.equals(table)).toBe(true);
  });

  test('hidden, with several keys of ours to try', async () => {
    const keys = ['weak', 'curve', 'elgamal', 'rsa'].map((name) => gpg.secret(name));
    const step = await makeStep('decrypt', { keys });
    for (const options of [[], ['--cipher-algo', 'CAST5'], ['--cipher-algo', '3DES']]) {
      const message = gpg.encrypt('rsa', ['--throw-keyids', ...options]);
      const { contents } = await runStep(step, message, now);
      expect(contents[0]?.bytes.equals(table)).toBe(true);
    }
  });

  test('for somebody else is refused by the name of the key', async () => {
    for (const options of [[], ['--throw-keyids']]) {
      const error = await refused('curve', gpg.encrypt('rsa', options));
      expect(error).toMatchObject({ type: 'auth', code: 'KEY_UNAVAILABLE' });
    }
  });

  test('signed only, or for a password only, is refused in clear words', async () => {
    const signed = gpg.run(['--local-user', address('vendor'), '--sign'], table);
    expect((await refused('rsa', signed)).code).toBe('NOT_ENCRYPTED');
    const forPassword = gpg.run(['--symmetric'], table);
    expect((await refused('rsa', forPassword)).code).toBe('PASSWORD_ENCRYPTED');
  });

  test('signatures count from the expected signer, with a digest that still holds', async () => {
    const expectSigned = { signers: [gpg.public('vendor'), gpg.public('elgamal')] };
    const step = await makeStep('decrypt', { keys: [gpg.secret('rsa')], expectSigned });
    const by = (name: string, ...options: string[]) =>
      gpg.encrypt('rsa', ['--sign', '--local-user', address(name), ...options]);
    const { facts } = await runStep(step, by('vendor'), now);
    expect(facts).toMatchObject({ openpgp: { protection: 'SEIPDv1' } });
    for (const bad of [
      gpg.encrypt('rsa'),
      by('stranger'),
      by('vendor', '--digest-algo', 'SHA1'),
      by('elgamal'),
    ]) {
      expect(await refusal(step, bad, now)).toMatchObject({ type: 'integrity', code: 'SIGNATURE' });
    }
  });

  test.each([
    ['as gpg makes it', []],
    ['signed, not compressed', ['--compress-algo', 'none', '--sign', '-u', 'vendor@test.invalid']],
  ])('changed at 256 positions or cut off at 64, it is refused: %s', async (_, options) => {
    const step = await makeStep('decrypt', { keys: [gpg.secret('curve')] });
    const plain = table.subarray(0, 20_000);
    const good = gpg.encrypt('curve', options, plain);
    for (const position of positionsIn(good.subarray(0, -1), 64)) {
      const error = await refusal(step, good.subarray(0, position), now);
      expect(error.type, `cut at ${position}`).toBe('integrity');
    }
    for (const position of positionsIn(good, 256)) {
      const bad = tamperedAt(good, position, 1 << (position % 8));
      const outcome = await runStep(step, bad, now).catch((error: unknown) => error);
      const accepted = isPluginError(outcome) ? plain : (outcome as Outcome).contents[0]?.bytes;
      expect(accepted?.equals(plain), `flipped at ${position}`).toBe(true);
    }
  });

  test('two messages in one file, and line ends behind one', async () => {
    const good = gpg.encrypt('rsa');
    const armored = gpg.encrypt('rsa', ['--armor']);
    for (const bad of [
      [good, good],
      [armored, armored],
      [good, Buffer.from('\r\n')],
    ]) {
      expect((await refused('rsa', Buffer.concat(bad))).code).toBe('TRAILING_DATA');
    }
  });
});
