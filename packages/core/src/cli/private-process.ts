import { writeFileSync } from 'node:fs';
import { url } from 'node:inspector';
import { OctoError } from '../errors/octo-error.ts';

/**
 * Makes of this process, and of all that it starts, one that keeps to itself: new files and sockets are for its user only, a
 * dump of it holds no memory, a report holds no environment, and no signal opens a debugger.
 */
export function keepPrivate(): void {
  process.umask(0o077);
  process.report.excludeEnv = true;
  // Node itself would open a port that every user of this machine reaches.
  process.on('SIGUSR1', () => {});
  dumpNoMemory();
}

/**
 * Who reaches the port of a debugger has every secret of this process.
 * @throws OctoError `OCTO_DEBUGGER_OPEN`, unless plugins are being debugged: `OCTO_ISOLATION=none`
 */
export function refuseDebugger(env: Readonly<Record<string, string | undefined>>): void {
  if (url() === undefined || env['OCTO_ISOLATION'] === 'none') return;
  throw new OctoError(
    'OCTO_DEBUGGER_OPEN',
    'this process was started with --inspect, through which others can read every secret; start it without (look at NODE_OPTIONS, too), or with OCTO_ISOLATION=none to debug a plugin',
  );
}

/**
 * Node cannot set limits of its process, but Linux lets each say what of it a dump holds: nothing that is its own.
 * man7.org/linux/man-pages/man5/core.5.html
 */
function dumpNoMemory(): void {
  try {
    writeFileSync('/proc/self/coredump_filter', '0');
  } catch {
    // Not Linux, or no /proc: docs/operating.md says what to do there.
  }
}
