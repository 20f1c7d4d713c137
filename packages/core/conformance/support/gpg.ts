import { execFileSync, spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** Why gpg cannot be used here, and what to do; `undefined` when it can. */
export function gpgMissing(): string | undefined {
  return spawnSync('gpg', ['--version']).status === 0
    ? undefined
    : 'gpg is missing: apt-get install gnupg';
}

/** A gpg with a keyring of its own that holds one key pair, without passphrase. */
export class Gpg implements Disposable {
  // Short, because the agent's socket lies in it and its path may have 107 bytes.
  readonly #home = mkdtempSync(join(tmpdir(), 'gpg-'));
  readonly #user = 'octo@test.invalid';

  constructor() {
    this.#run(['--quick-generate-key', this.#user, 'default', 'default', 'never']);
  }

  /** The private key, armored. */
  privateKey(): string {
    return this.#run(['--armor', '--export-secret-keys', this.#user]).toString();
  }

  /** Encrypts a file to the key, with further options such as `--armor`. */
  encrypt(plainFile: string, encryptedFile: string, ...options: string[]): void {
    this.#run([
      ...options,
      '--recipient',
      this.#user,
      '--output',
      encryptedFile,
      '--encrypt',
      plainFile,
    ]);
  }

  [Symbol.dispose](): void {
    spawnSync('gpgconf', ['--homedir', this.#home, '--kill', 'all']);
    rmSync(this.#home, { recursive: true, force: true });
  }

  #run(args: readonly string[]): Buffer {
    const always = [
      '--homedir',
      this.#home,
      '--batch',
      '--yes',
      '--no-tty',
      '--trust-model',
      'always',
    ];
    const passphrase = ['--pinentry-mode', 'loopback', '--passphrase', ''];
    return execFileSync('gpg', [...always, ...passphrase, ...args], {
      stdio: ['ignore', 'pipe', 'pipe'],
    });
  }
}
