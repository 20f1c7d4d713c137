/** A shell's pipeline of commands that fails when one of them does. */
export function shell(...commands: readonly (readonly string[])[]): readonly string[] {
  const line = commands.map((words) => words.map(quote).join(' ')).join(' | ');
  return ['bash', '-o', 'pipefail', '-c', line];
}

function quote(word: string): string {
  return `'${word.replaceAll("'", String.raw`'\''`)}'`;
}
