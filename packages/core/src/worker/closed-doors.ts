import dgram from 'node:dgram';
import fs from 'node:fs';
import { syncBuiltinESMExports } from 'node:module';
import os from 'node:os';

/**
 * Takes away what Node's permissions leave open: a process may signal every process of its user, its host among them, take
 * time from it, send packets anywhere, and copy a symbolic link to where it leads elsewhere. Done before any plugin's code is
 * loaded. It is a lock on a door, not a wall: docs/operating.md says what remains.
 */
export function closeDoors(): void {
  // `process.kill` comes through here.
  const inner = process as unknown as { _kill: (pid: number, signal: number) => number };
  const kill = inner._kill.bind(process);
  const onlyItself = (pid: number, signal: number): number => {
    if (pid !== process.pid) throw new Error('a plugin may not signal other processes');
    return kill(pid, signal);
  };
  Object.defineProperty(process, '_kill', { value: onlyItself });
  close(process, '_debugProcess', 'a plugin may not signal other processes');
  close(os, 'setPriority', 'a plugin may not change priorities');
  close(dgram, 'createSocket', 'a plugin has no UDP');
  close(dgram, 'Socket', 'a plugin has no UDP');
  close(fs, 'cpSync', 'a plugin copies files one by one, with fs.copyFile');
  syncBuiltinESMExports();
}

function close(holder: object, name: string, why: string): void {
  const closed = function (): never {
    throw new Error(why);
  };
  Object.defineProperty(holder, name, { value: closed, writable: false, configurable: false });
}
