/** What is measured: a case has contenders, each of which does the same work once a round. Octo is the first. */
import type { Ground } from './ground.ts';

/** One process (and its children) whose time and memory are measured. */
export interface Task {
  readonly argv: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
  readonly cwd?: string;
  /** Not measured. @throws when the work was not done right */
  check(): Promise<void>;
  /** Not measured. Takes away what the task made. */
  tidy(): Promise<void>;
}

export interface Contender {
  readonly name: string;
  /** @param round from 0, which is the warm-up; no two tasks of a contender get the same */
  task(round: number): Promise<Task>;
}

export interface Case {
  readonly name: string;
  readonly title: string;
  /** What octo should reach, in words. */
  readonly bar: string;
  /** How large the data is unless `--size` says otherwise, in bytes. */
  readonly bytes: number;
  /** Which programs it takes. */
  readonly programs: readonly string[];
  prepare(ground: Ground, bytes: number): Promise<readonly Contender[]>;
}
