import type { Logger } from '@octo/plugin-api';
import { askHealth, type InstanceHealth } from '../../host/health.ts';
import { shownBreaker } from '../../policy/shown-breaker.ts';
import type { Breaker } from '../../resilience/breaker.ts';
import type { Manifest } from '../../manifest/manifest.ts';
import { pointerTo } from '../../manifest/pointer.ts';
import { flag, type Args, type CommandCode } from '../command.ts';
import { commandHint } from '../command-hint.ts';
import type { Environment } from '../environment.ts';
import { exitCodes } from '../exit-code.ts';
import { errorText } from '../explain-error.ts';
import { exitCodeOfHealth, type Examined, healthJson, healthLines } from '../health-report.ts';
import { hostOptions } from '../host-options.ts';
import { createLogger, logSettings } from '../logger-for.ts';
import { paintFor } from '../paint.ts';
import { readManifestOf } from '../read-manifest-of.ts';
import { workplaceOf } from '../workplace.ts';

/** `octo-host health`: asks every enabled instance how it is, all at the same time. */
export const health: CommandCode = async (args, environment) => {
  const { stdout, redactor } = environment;
  const asJson = flag(args, 'json');
  try {
    const all = await examine(args, environment);
    if (asJson) stdout.write(`${healthJson(all)}\n`);
    else print(all, args, environment);
    return exitCodeOfHealth(all);
  } catch (error) {
    if (asJson) stdout.write(`${healthJson([], redactor.redact(errorText(error)))}\n`);
    throw error;
  }
};

async function examine(args: Args, environment: Environment): Promise<Examined[]> {
  const { rooms, clock, redactor, signal } = environment;
  const manifest = await readManifestOf(args, environment, 'hold');
  // What did not start stands in the table.
  const silent = logSettings(args, environment, { format: 'text', level: 'silent' });
  const logger = await createLogger(silent, environment);
  await using host = await rooms.createHost(manifest, await hostOptions(args, environment, logger));
  await host.start(signal);
  const answers = await askHealth(host.instances.values(), { clock }, signal);
  const breakers = await knownBreakers(args, environment, logger);
  const asked = answers.map((answer) => {
    const kind = host.instances.get(answer.id)?.definition.kind;
    const known = breakers.get(answer.id);
    const breaker = known && shownBreaker(known);
    return { id: answer.id, kind, health: redacted(answer, redactor.redact), breaker };
  });
  return [...asked, ...heldIn(manifest)];
}

function heldIn({ plugins, held }: Manifest): Examined[] {
  return [...plugins.keys()].flatMap((id) => {
    const waits = held?.get(pointerTo('/plugins', id));
    if (waits === undefined) return [];
    return [{ id, kind: undefined, health: { state: 'held' as const, reason: waits.message } }];
  });
}

/** What is left alone, when there is a database without starting one for it; nothing when it does not answer. */
async function knownBreakers(
  args: Args,
  environment: Environment,
  logger: Logger,
): Promise<ReadonlyMap<string, Breaker>> {
  const { rooms, env } = environment;
  const { stateFolder } = workplaceOf(args, environment);
  const databaseUrl = env['DATABASE_URL'];
  if ((databaseUrl ?? '') === '' && !(await rooms.hostRuns(stateFolder))) return new Map();
  try {
    await using policies = await rooms.openPolicy({ stateFolder, databaseUrl, logger });
    return await policies.breakers.all();
  } catch (error) {
    logger.warn({ err: error }, 'which plugins are left alone is not known');
    return new Map();
  }
}

function print(all: readonly Examined[], args: Args, environment: Environment): void {
  const { stdout, stderr, env } = environment;
  stdout.write(`${healthLines(all, paintFor(stdout, env)).join('\n')}\n`);
  if (exitCodeOfHealth(all) === exitCodes.allWell || !stderr.isTerminal) return;
  stderr.write(`\n${commandHint(['check'], args, env)}  tells at which step\n`);
}

function redacted(answer: InstanceHealth, redact: (text: string) => string): InstanceHealth {
  return 'reason' in answer ? { ...answer, reason: redact(answer.reason) } : answer;
}
