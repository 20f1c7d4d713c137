/** An OpenPGP key of this run's own, in a key ring of gpg's, and messages to it as gpg makes them. */
import { spawnSync } from 'node:child_process';
import { utimes } from 'node:fs/promises';
import type { Ground } from '../ground.ts';
import { program } from '../programs.ts';

const PUBLISHED = new Date('2026-01-15T12:00:00Z');
const USER = 'bench@octo.test';

export interface KeyRing {
  /** The value of GNUPGHOME. */
  readonly home: string;
  /** Armored, without a passphrase. */
  readonly privateKey: string;
}

export async function openKeyRing(ground: Ground): Promise<KeyRing> {
  const home = await ground.at('gnupg');
  spawnSync('chmod', ['700', home]);
  const env = { GNUPGHOME: home };
  gpg(env, [
    '--passphrase',
    '',
    '--quick-generate-key',
    USER,
    'future-default',
    'default',
    'never',
  ]);
  ground.defer(async () => {
    // gpg leaves its agent behind.
    spawnSync('gpgconf', ['--kill', 'gpg-agent'], { env: { ...process.env, ...env } });
  });
  return { home, privateKey: gpg(env, ['--armor', '--export-secret-keys', USER]) };
}

/** Encrypts a file, without compressing it. */
export async function encryptFile({ home }: KeyRing, from: string, to: string): Promise<void> {
  const args = ['--trust-model', 'always', '-r', USER, '-z', '0', '-o', to, '--encrypt', from];
  gpg({ GNUPGHOME: home }, args);
  await utimes(to, PUBLISHED, PUBLISHED);
}

function gpg(env: Readonly<Record<string, string>>, args: readonly string[]): string {
  const answer = spawnSync(
    program('gpg'),
    ['--batch', '--yes', '--pinentry-mode', 'loopback', ...args],
    {
      env: { ...process.env, ...env },
      encoding: 'utf8',
    },
  );
  if (answer.status !== 0) throw new Error(`gpg ${args.join(' ')}: ${answer.stderr}`);
  return answer.stdout;
}
