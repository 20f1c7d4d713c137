import type { Clock } from '@octo/plugin-api';
import type { Redactor } from '../observe/redactor.ts';
import type { Rooms } from './rooms.ts';

/** Everything a command may touch of the world around it. `main.ts` fills it from the process, tests from memory. */
export interface Environment {
  readonly stdin: Input;
  /** For results. */
  readonly stdout: Output;
  /** For messages, progress and logs. */
  readonly stderr: Output;
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Absolute. */
  readonly cwd: string;
  readonly clock: Clock;
  /** 0 ≤ random() < 1, for jitter. */
  readonly random: () => number;
  /** Aborted by the first SIGINT or SIGTERM, with an {@link Interrupted} as its reason. */
  readonly signal: AbortSignal;
  /** Who listens is told of SIGHUP until the listening is disposed; without a listener it interrupts like SIGTERM. */
  readonly onHangup: (listener: () => void) => Disposable;
  readonly rooms: Rooms;
  /** Knows the manifest's secrets as soon as a host is built. */
  readonly redactor: Redactor;
}

export interface Output {
  write(text: string): void;
  readonly isTerminal: boolean;
  /** Of the terminal, asked anew each time: people resize windows. */
  readonly columns: number;
}

export interface Input {
  /** Whether a person types what is read. */
  readonly isTerminal: boolean;
  /** Whether there is a terminal to ask at, even though something else is read. */
  readonly canAsk: boolean;
  /** All that comes, or its first `maxBytes` and a few more. */
  read(maxBytes: number): Promise<Uint8Array>;
  /** Asks at the terminal; what is typed there is not shown. @throws Interrupted for Ctrl-C, and the reason of `signal` */
  askHidden(question: string, signal: AbortSignal): Promise<string>;
}

/** The reason of {@link Environment.signal}. */
export class Interrupted extends Error {
  readonly signalName: 'SIGINT' | 'SIGTERM' | 'SIGHUP';

  constructor(signalName: Interrupted['signalName']) {
    super(`interrupted by ${signalName}`);
    this.name = 'Interrupted';
    this.signalName = signalName;
  }
}
