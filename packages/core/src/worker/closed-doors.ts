/**
 * Takes away what Node's permissions leave open: a process may signal every process of its user, its host among them, and may
 * write what it likes into the list of processes, which every user reads. Done before any plugin's code is loaded. It is a lock
 * on a door, not a wall: docs/operating.md says what remains.
 */
export function closeDoors(): void {
  keepSignals();
  keepTitle();
}

function keepSignals(): void {
  // `process.kill` comes through here.
  const inner = process as unknown as { _kill: (pid: number, signal: number) => number };
  const kill = inner._kill.bind(process);
  const onlyItself = (pid: number, signal: number): number => {
    if (pid !== process.pid) throw new Error('a plugin may not signal other processes');
    return kill(pid, signal);
  };
  Object.defineProperty(process, '_kill', { value: onlyItself });
}

/** Some libraries set the title for convenience: they go on, and nothing shows. */
function keepTitle(): void {
  const { title } = process;
  Object.defineProperty(process, 'title', { get: () => title, set: () => {}, enumerable: true });
}
