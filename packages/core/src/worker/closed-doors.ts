/**
 * Takes away what Node's permissions leave open: a process may signal every process of its user, its host among them. Done
 * before any plugin's code is loaded. It is a lock on a door, not a wall: docs/operating.md says what remains.
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
}
