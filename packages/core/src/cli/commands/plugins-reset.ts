import { actorNamed } from '../../audit/actor.ts';
import { escapeText } from '../../observe/escape-text.ts';
import { flag, type CommandCode } from '../command.ts';
import { exitCodes } from '../exit-code.ts';
import { guardOf } from '../guard-of.ts';
import { quietLogger } from '../logger-for.ts';
import { openAuditOf } from '../open-audit-of.ts';
import { operatorName } from '../operator.ts';
import { shownBreaker } from '../../policy/shown-breaker.ts';
import { UsageError } from '../usage-error.ts';
import { workplaceOf } from '../workplace.ts';

/** `octo-host plugins reset ID`: what is left alone is asked as usual by every run that begins from now on. */
export const pluginsReset: CommandCode = async (args, environment) => {
  const [id = ''] = args.operands;
  const { rooms, env, stdout } = environment;
  const { manifestFile, stateFolder } = workplaceOf(args, environment);
  const { plugins } = await rooms.readManifest(manifestFile, { env });
  if (!plugins.has(id))
    throw new UsageError(`there is no plugin '${escapeText(id)}'`, 'octo-host plugins');
  const logger = await quietLogger(args, environment);
  const actor = operatorName(env);
  await using audit = await openAuditOf(args, environment);
  await using policies = await rooms.openPolicy({
    stateFolder,
    databaseUrl: env['DATABASE_URL'],
    logger,
  });
  await audit.record({
    action: 'breaker.reset',
    actor: actorNamed(actor),
    target: id,
    outcome: 'done',
  });
  const before = shownBreaker((await policies.breakers.read([id])).get(id));
  await guardOf({ ...policies, audit, logger, actor }, environment).forget([id]);
  const word = before.state === 'closed' ? 'was not left alone' : 'is asked as usual again';
  stdout.write(flag(args, 'json') ? `${JSON.stringify({ id, before })}\n` : `${id} ${word}\n`);
  return exitCodes.allWell;
};
