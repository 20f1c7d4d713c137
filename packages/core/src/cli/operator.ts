import { userInfo } from 'node:os';

/** Who sits at this shell, for the audit log: `operator:ada`; behind `sudo` the one who called it. */
export function operatorName(env: Readonly<Record<string, string | undefined>>): string {
  return `operator:${env['SUDO_USER'] || accountName()}`;
}

/** A container's user may have no name. */
function accountName(): string {
  try {
    return userInfo().username;
  } catch {
    return `uid-${process.getuid?.() ?? 'unknown'}`;
  }
}
