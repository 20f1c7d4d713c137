import { ManualClock } from '@octo/plugin-testing';
import { runCommand } from '../../src/cli/main.ts';
import type { Environment, Input, Output } from '../../src/cli/environment.ts';
import { rooms } from '../../src/cli/rooms.ts';
import { Redactor } from '../../src/observe/redactor.ts';

/** An output that keeps what is written to it. */
export class MemoryOutput implements Output {
  text = '';
  isTerminal = false;
  columns = 80;

  write(text: string): void {
    this.text += text;
  }

  get lines(): string[] {
    return this.text.split('\n').filter((line) => line !== '');
  }
}

/** Standard input that holds a text; with answers there is a terminal where they are typed. */
export class MemoryInput implements Input {
  readonly questions: string[] = [];
  readonly #text: string;
  readonly #answers: string[] | undefined;

  constructor(text = '', answers?: readonly string[]) {
    this.#text = text;
    this.#answers = answers && [...answers];
  }

  get isTerminal(): boolean {
    return this.#answers !== undefined && this.#text === '';
  }

  get canAsk(): boolean {
    return this.#answers !== undefined;
  }

  async read(): Promise<Uint8Array> {
    return Buffer.from(this.#text);
  }

  async askHidden(question: string): Promise<string> {
    this.questions.push(question);
    return this.#answers?.shift() ?? '';
  }
}

export interface TestEnvironment extends Environment {
  /** As SIGHUP would do. */
  readonly hangUp: () => void;
  readonly stdout: MemoryOutput;
  readonly stderr: MemoryOutput;
  readonly clock: ManualClock;
}

export function testEnvironment(overrides: Partial<Environment> = {}): TestEnvironment {
  const listeners = new Set<() => void>();
  return {
    onHangup: (listener) => {
      listeners.add(listener);
      return { [Symbol.dispose]: () => void listeners.delete(listener) };
    },
    hangUp: () => listeners.forEach((listener) => listener()),
    stdin: new MemoryInput(),
    env: {},
    cwd: '/',
    random: () => 0.5,
    signal: new AbortController().signal,
    rooms,
    redactor: new Redactor(),
    ...overrides,
    stdout: new MemoryOutput(),
    stderr: new MemoryOutput(),
    clock: new ManualClock(Date.UTC(2026, 0, 16, 3, 45)),
  };
}

/** Runs one command line in memory. */
export async function octoHost(
  argv: readonly string[],
  environment: TestEnvironment = testEnvironment(),
) {
  const code = await runCommand(argv, environment);
  return { code, stdout: environment.stdout, stderr: environment.stderr };
}
