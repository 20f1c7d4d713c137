import { execFileSync, spawnSync } from 'node:child_process';

/** Why the program age cannot be used here, and what to do; `undefined` when it can. */
export function ageMissing(): string | undefined {
  return spawnSync('age', ['--version']).status === 0
    ? undefined
    : 'age is missing: apt-get install age';
}

/** What is in a file, as `age -d -i key file` shows it. */
export function ageDecrypt(keyFile: string, file: string): string {
  return execFileSync('age', ['-d', '-i', keyFile, file], { stdio: 'pipe' }).toString();
}

/** Seals a text for a recipient into a file. */
export function ageEncrypt(recipient: string, text: string, file: string): void {
  execFileSync('age', ['-r', recipient, '-o', file], { input: text });
}

/** A new key of `age-keygen`, as its file has it. */
export function ageKeygen(file: string): void {
  execFileSync('age-keygen', ['-o', file], { stdio: 'pipe' });
}

/** Whether there is the program `script`, which gives others a terminal: age asks for a passphrase at nothing else. */
export function canAskAge(): boolean {
  return ageMissing() === undefined && spawnSync('script', ['--version']).status === 0;
}

/** Runs a command at a terminal of its own, where the passphrase is typed as often as it is asked for. */
export function atTerminal(command: string, answers: readonly string[]): string {
  const input = answers.map((answer) => `${answer}\n`).join('');
  return execFileSync('script', ['-qec', command, '/dev/null'], {
    input,
    stdio: 'pipe',
  }).toString();
}
