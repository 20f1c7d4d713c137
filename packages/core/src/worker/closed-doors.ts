import dgram from 'node:dgram';
import fs from 'node:fs';
import { syncBuiltinESMExports } from 'node:module';
import os from 'node:os';
import v8 from 'node:v8';

const NO_SIGNALS = 'a plugin may not signal other processes';
const NO_OTHER_USER = 'a plugin may not become another user';

/** What a plugin finds closed, and what it is told. */
const CLOSED: readonly (readonly [holder: object, name: string, why: string])[] = [
  [process, '_debugProcess', NO_SIGNALS],
  [process, 'setuid', NO_OTHER_USER],
  [process, 'seteuid', NO_OTHER_USER],
  [process, 'setgid', NO_OTHER_USER],
  [process, 'setegid', NO_OTHER_USER],
  [process, 'setgroups', NO_OTHER_USER],
  [process, 'initgroups', NO_OTHER_USER],
  [os, 'setPriority', 'a plugin may not change priorities'],
  [dgram, 'createSocket', 'a plugin has no UDP'],
  [dgram, 'Socket', 'a plugin has no UDP'],
  [fs, 'cpSync', 'a plugin copies files one by one, with fs.copyFile'],
  [v8, 'setHeapSnapshotNearHeapLimit', 'a plugin writes no dump of its memory'],
];

/**
 * Takes away what Node's permissions leave open: a process may signal every process of its user, its host among them, take
 * time from it, become another user, send packets anywhere, copy a symbolic link to where it leads elsewhere, and write what
 * it likes into the list of processes, which every user reads. Done before any plugin's code is loaded. It is a lock on a
 * door, not a wall: docs/operating.md says what remains.
 */
export function closeDoors(): void {
  for (const [holder, name, why] of CLOSED) close(holder, name, why);
  keepSignals();
  keepTitle();
  syncBuiltinESMExports();
}

function close(holder: object, name: string, why: string): void {
  const closed = function (): never {
    throw new Error(why);
  };
  Object.defineProperty(holder, name, { value: closed, writable: false, configurable: false });
}

/** Only itself: `process.kill` comes through here. */
function keepSignals(): void {
  const inner = process as unknown as { _kill: (pid: number, signal: number) => number };
  const kill = inner._kill.bind(process);
  const onlyItself = (pid: number, signal: number): number => {
    if (pid !== process.pid) throw new Error(NO_SIGNALS);
    return kill(pid, signal);
  };
  Object.defineProperty(process, '_kill', { value: onlyItself });
}

/** Some libraries set the title for convenience: they go on, and nothing shows. */
function keepTitle(): void {
  const { title } = process;
  Object.defineProperty(process, 'title', { get: () => title, set: () => {}, enumerable: true });
}
