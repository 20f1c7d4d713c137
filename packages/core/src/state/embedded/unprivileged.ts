/** PostgreSQL refuses to run as root: there, its processes run as "nobody". Numbers, because names may be missing. */
const NOBODY = 65534;

export interface Identity {
  readonly uid?: number;
  readonly gid?: number;
}

/** Who PostgreSQL's processes are to be; empty for this process's own user. */
export function unprivileged(): Identity {
  return process.geteuid?.() === 0 ? { uid: NOBODY, gid: NOBODY } : {};
}

/**
 * How PostgreSQL is told where the data is when it is started with that folder as its working directory. "nobody" may not
 * walk to a folder below one of root's private ones, but it may stand in it.
 */
export function dataArgument(folder: string): string {
  return process.geteuid?.() === 0 && process.platform === 'linux' ? '/proc/self/cwd' : folder;
}
