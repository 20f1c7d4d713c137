import type { RunEvent, RunReport } from '../pipeline/run-report.ts';
import { commandHint } from './command-hint.ts';
import { flag, type Args } from './command.ts';
import type { Environment } from './environment.ts';
import { paintFor } from './paint.ts';
import { ProgressLine } from './progress-line.ts';
import { runLine } from './run-line.ts';
import { runResultLine } from './run-result.ts';
import { runSummary } from './run-summary.ts';

/** How a run is shown while it goes on, and how it ends. */
export interface RunDisplay extends AsyncDisposable {
  event(event: RunEvent): void;
  report(report: RunReport, elapsedMs: number, error?: string): void;
}

/** `--json`: silence, then one line. */
export function jsonDisplay({ stdout }: Pick<Environment, 'stdout'>): RunDisplay {
  return {
    event: () => {},
    report: (report, _, error) => stdout.write(`${runResultLine(report, error)}\n`),
    [Symbol.asyncDispose]: async () => {},
  };
}

/** For people: a line for each file on stdout, messages and the progress line on stderr, a summary at the end. */
export class TextDisplay implements RunDisplay {
  readonly #environment: Environment;
  readonly #args: Args;
  readonly #progress: ProgressLine | undefined;

  constructor(args: Args, environment: Environment) {
    this.#args = args;
    this.#environment = environment;
    this.#progress = environment.stderr.isTerminal ? new ProgressLine(environment) : undefined;
  }

  event(event: RunEvent): void {
    const { stdout, stderr, env } = this.#environment;
    const output = isResult(event) ? stdout : stderr;
    const line = runLine(event, paintFor(output, env));
    if (line !== undefined) {
      this.#progress?.hide();
      output.write(`${line}\n`);
    }
    this.#progress?.show(event);
  }

  report(report: RunReport, elapsedMs: number, error?: string): void {
    this.#progress?.hide();
    if (error !== undefined) return;
    const { stdout, env } = this.#environment;
    const lines = runSummary(report, {
      elapsedMs,
      paint: paintFor(stdout, env),
      hint: (words) => commandHint(words, this.#args, env),
    });
    stdout.write(`${lines.join('\n')}\n`);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#progress?.[Symbol.asyncDispose]();
  }
}

export function runDisplay(args: Args, environment: Environment): RunDisplay {
  return flag(args, 'json') ? jsonDisplay(environment) : new TextDisplay(args, environment);
}

/** What became of a file is a result; what goes on meanwhile is a message. */
function isResult({ event }: RunEvent): boolean {
  return ['delivered', 'duplicate', 'quarantined', 'failed', 'warning'].includes(event);
}
