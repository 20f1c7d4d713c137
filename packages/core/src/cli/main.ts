import { isatty } from 'node:tty';
import { systemClock } from '../host/system-clock.ts';
import { Redactor } from '../observe/redactor.ts';

import { flag } from './command.ts';
import { environmentSecrets } from './environment-secrets.ts';
import { Interrupted, type Environment } from './environment.ts';
import { exitCodeOf, exitCodes } from './exit-code.ts';
import { explainError } from './explain-error.ts';
import { parseCommandLine } from './parse-command-line.ts';
import { keepPrivate, refuseDebugger } from './private-process.ts';
import { ProcessInput } from './process-input.ts';
import { ProcessOutput } from './process-output.ts';
import { rooms } from './rooms.ts';
import { commandHelp } from './usage.ts';

/** The whole program: reads the command line, runs the command, ends the process with its exit code. */
export async function main(argv: readonly string[]): Promise<never> {
  keepPrivate();
  const stdout = new ProcessOutput(process.stdout);
  const stderr = new ProcessOutput(process.stderr);
  const redactor = new Redactor();
  redactor.add(environmentSecrets(process.env));
  const environment: Environment = {
    stdin: new ProcessInput(stderr),
    stdout,
    stderr,
    env: process.env,
    cwd: process.cwd(),
    clock: systemClock,
    random: Math.random,
    ...signalsOf(stderr),
    rooms,
    redactor,
  };
  process.on('uncaughtException', (error) => {
    explainError(error, environment);
    process.exit(exitCodes.defect);
  });
  const code = await runPrivately(argv, environment);
  await Promise.all([stdout.flushed(), stderr.flushed()]);
  process.exit(code);
}

async function runPrivately(argv: readonly string[], environment: Environment): Promise<number> {
  try {
    refuseDebugger(environment.env);
  } catch (error) {
    explainError(error, environment);
    return exitCodeOf(error);
  }
  return await runCommand(argv, environment);
}

/** Runs one command line. Resolves with the exit code, whatever happens; what went wrong is on stderr. */
export async function runCommand(
  argv: readonly string[],
  environment: Environment,
): Promise<number> {
  try {
    const { command, args } = parseCommandLine(argv);
    if (flag(args, 'help')) {
      environment.stdout.write(commandHelp(command));
      return exitCodes.allWell;
    }
    const code = await command.load();
    return await code(args, environment);
  } catch (error) {
    explainError(error, environment);
    return exitCodeOf(error);
  }
}

/**
 * Aborted by the first SIGINT, SIGTERM or unheard SIGHUP. A second one ends the process at once, but for SIGHUP: a terminal that
 * goes away means no haste.
 */
function signalsOf(stderr: ProcessOutput): Pick<Environment, 'signal' | 'onHangup'> {
  const controller = new AbortController();
  const listeners = new Set<() => void>();
  const wasTerminal = stderr.isTerminal;
  const interrupt = (name: Interrupted['signalName']) => {
    const interrupted = new Interrupted(name);
    if (controller.signal.aborted) process.exit(exitCodeOf(interrupted));
    if (stderr.isTerminal) stderr.write('\r\u001B[Kstopping … (Ctrl-C again ends at once)\n');
    controller.abort(interrupted);
  };
  for (const name of ['SIGINT', 'SIGTERM'] as const) process.on(name, () => interrupt(name));
  process.on('SIGHUP', () => {
    if (controller.signal.aborted) return;
    // A terminal that was closed sends it, too; then nobody is there any more who could want the host to go on.
    const isAlone = wasTerminal && !isatty(2);
    if (listeners.size === 0 || isAlone) interrupt('SIGHUP');
    else for (const listener of listeners) listener();
  });
  const onHangup = (listener: () => void) => {
    listeners.add(listener);
    return { [Symbol.dispose]: () => void listeners.delete(listener) };
  };
  return { signal: controller.signal, onHangup };
}
