/** The programs that octo is held against: whether they are there, which version, and how to get them. */
import { spawnSync } from 'node:child_process';
import { accessSync, constants } from 'node:fs';
import { delimiter, join } from 'node:path';

interface Program {
  readonly debian: string;
  readonly version: readonly string[];
}

const PROGRAMS: Readonly<Record<string, Program>> = {
  sshd: { debian: 'openssh-server', version: ['-V'] },
  sftp: { debian: 'openssh-client', version: [] },
  ssh: { debian: 'openssh-client', version: ['-V'] },
  rclone: { debian: 'rclone', version: ['version'] },
  lftp: { debian: 'lftp', version: ['--version'] },
  aws: { debian: 'awscli', version: ['--version'] },
  s3cmd: { debian: 's3cmd', version: ['--version'] },
  gpg: { debian: 'gnupg', version: ['--version'] },
  sq: { debian: 'sq', version: ['--version'] },
  gunzip: { debian: 'gzip', version: ['--version'] },
};

/** Debian's packages come first: what somebody put before them in the PATH is not what most people run. */
const FOLDERS = ['/usr/bin', '/usr/sbin', ...(process.env['PATH'] ?? '').split(delimiter)];

/** Absolute path of a program, or undefined when it is not installed. */
export function whereIs(name: string): string | undefined {
  return FOLDERS.map((folder) => join(folder, name)).find(isExecutable);
}

/** As {@link whereIs}, for a program that was looked for before. */
export function program(name: string): string {
  const path = whereIs(name);
  if (path === undefined) throw new Error(missing(name));
  return path;
}

/** What to do about a program that is not there. */
export function missing(name: string): string {
  return `${name} is not installed; to have it: apt-get install -y ${PROGRAMS[name]?.debian ?? name}`;
}

/** The first line of what a program says of itself. */
export function versionOf(name: string): string {
  const asked = PROGRAMS[name]?.version ?? [];
  if (asked.length === 0) return name;
  const { stdout, stderr } = spawnSync(program(name), asked, { encoding: 'utf8' });
  return (
    `${stdout}\n${stderr}`
      .split('\n')
      .find((line) => /\d\.\d/.test(line))
      ?.trim() ?? name
  );
}

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}
