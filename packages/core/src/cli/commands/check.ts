import { isPluginError, type Clock, type Diagnosis } from '@octo/plugin-api';
import { OctoError } from '../../errors/octo-error.ts';
import type { Instance } from '../../host/instance.ts';
import { withDeadline } from '../../resilience/deadline.ts';
import { checkJson, checkLines, exitCodeOfChecks, type Check } from '../check-report.ts';
import { flag, type Args, type CommandCode } from '../command.ts';
import type { Environment } from '../environment.ts';
import { errorText, issueLine } from '../explain-error.ts';
import { hostOptions } from '../host-options.ts';
import { quietLogger } from '../logger-for.ts';
import { paintFor } from '../paint.ts';
import { readManifestOf } from '../read-manifest-of.ts';
import { count } from '../run-line.ts';
import { workplaceOf } from '../workplace.ts';

/** A plugin may take so long to tidy up after its last step. */
const tidyMs = 5000;

/** `octo-host check`: the host's own footing first, then every instance, step by step. */
export const check: CommandCode = async (args, environment) => {
  const { stdout, env, redactor } = environment;
  const paint = paintFor(stdout, env);
  const checks: Check[] = [];
  for await (const raw of everyCheck(args, environment)) {
    const found = redacted(raw, redactor.redact);
    if (!flag(args, 'json')) {
      if (found.about !== checks.at(-1)?.about) stdout.write(`${paint('strong', found.about)}\n`);
      stdout.write(`${checkLines(found, paint).join('\n')}\n`);
    }
    checks.push(found);
  }
  const code = exitCodeOfChecks(checks);
  const failed = checks.filter(({ outcome }) => outcome === 'failed').length;
  if (flag(args, 'json')) {
    stdout.write(`${JSON.stringify({ ok: failed === 0, checks: checks.map(checkJson) })}\n`);
  } else {
    stdout.write(failed === 0 ? '\nall well\n' : `\n${count(failed, 'problem')}\n`);
  }
  return code;
};

async function* everyCheck(args: Args, environment: Environment): AsyncIterable<Check> {
  const { rooms, signal } = environment;
  const { manifestFile } = workplaceOf(args, environment);
  const logger = await quietLogger(args, environment);
  try {
    const manifest = await readManifestOf(args, environment);
    yield passed('manifest', manifestFile);
    await using host = await rooms.createHost(
      manifest,
      await hostOptions(args, environment, logger),
    );
    const { size } = host.instances;
    yield passed(
      'plugins',
      `${count(size, 'instance')}, ${count(manifest.pipelines.size, 'pipeline')}`,
    );
    yield await ledgerCheck(args, environment);
    await host.start(signal);
    for (const instance of host.instances.values()) yield* instanceChecks(instance, environment);
  } catch (error) {
    if (!(error instanceof OctoError)) throw error;
    for (const issue of error.issues) {
      yield { about: 'host', step: 'manifest', outcome: 'failed', detail: issueLine(issue), error };
    }
  }
}

function passed(step: string, detail: string): Check {
  return { about: 'host', step, outcome: 'passed', detail };
}

async function ledgerCheck(args: Args, environment: Environment): Promise<Check> {
  const { rooms, env } = environment;
  const { stateFolder } = workplaceOf(args, environment);
  const databaseUrl = env['DATABASE_URL'];
  const place = databaseUrl ? 'the PostgreSQL of DATABASE_URL' : stateFolder;
  try {
    const logger = await quietLogger(args, environment);
    await using ledger = await rooms.openLedger({ stateFolder, databaseUrl, logger });
    await ledger.list({ limit: 1 });
    return passed('state and ledger', place);
  } catch (error) {
    environment.signal.throwIfAborted();
    const detail = errorText(error);
    return { about: 'host', step: 'state and ledger', outcome: 'failed', detail, error };
  }
}

/** The steps of one instance; an error that it throws instead of reporting is a failed step, too. */
async function* instanceChecks(instance: Instance, environment: Environment): AsyncIterable<Check> {
  const { id, state } = instance;
  if (state.state === 'failed') {
    yield { about: id, step: 'start', outcome: 'failed', detail: state.reason, error: state.cause };
    return;
  }
  try {
    for await (const diagnosis of diagnose(instance, environment))
      yield { about: id, ...diagnosis };
  } catch (error) {
    environment.signal.throwIfAborted();
    const detail = isPluginError(error) ? error.message : errorText(error);
    yield { about: id, step: 'diagnose', outcome: 'failed', detail, error };
  }
}

async function* diagnose(
  { id, plugin, config }: Instance,
  { clock, signal }: Environment,
): AsyncIterable<Diagnosis> {
  const { timeoutMs } = config.policy;
  const limited = <T>(work: (signal: AbortSignal) => Promise<T>) =>
    withDeadline(`'${id}'`, timeoutMs, clock, signal, work);
  if (plugin.diagnose) {
    const ended = new AbortController();
    const steps = plugin.diagnose(AbortSignal.any([signal, ended.signal]))[Symbol.asyncIterator]();
    try {
      for (let step = await limited(() => steps.next()); !step.done;) {
        yield step.value;
        step = await limited(() => steps.next());
      }
    } finally {
      ended.abort();
      await tidied(steps, clock);
    }
    return;
  }
  if (plugin.health) await limited((signal) => plugin.health?.(signal) ?? Promise.resolve());
  const detail = plugin.health ? 'healthy' : 'the plugin offers no checks of its own';
  yield { step: 'health', outcome: 'passed', detail };
}

/** Lets the plugin tidy up, also after an interruption or a step that did not answer. */
async function tidied(steps: AsyncIterator<Diagnosis>, clock: Clock): Promise<void> {
  const enough = new AbortController();
  const returned = steps.return?.() ?? Promise.resolve();
  try {
    await Promise.race([returned, clock.sleep(tidyMs, enough.signal)]);
  } catch {
    // The step's own error was told already.
  } finally {
    enough.abort();
  }
}

function redacted(check: Check, redact: (text: string) => string): Check {
  const { remedy } = check;
  return {
    ...check,
    detail: redact(check.detail),
    ...(remedy === undefined ? {} : { remedy: redact(remedy) }),
  };
}
