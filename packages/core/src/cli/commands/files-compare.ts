import type { Logger } from '@octo/plugin-api';
import { actorNamed } from '../../audit/actor.ts';
import type { AuditTrail } from '../../audit/audit-trail.ts';
import { AuditedHost } from '../../audit/audited-host.ts';
import type { Host } from '../../host/host.ts';
import { DeliveredFiles, type DeliveredQuery } from '../../ledger/delivered-files.ts';
import type { Manifest } from '../../manifest/manifest.ts';
import { Comparison } from '../../pipeline/comparison.ts';
import { AskedSinks, type SilentSink } from '../asked-sinks.ts';
import { flag, stringOption, type Args, type CommandCode } from '../command.ts';
import {
  comparisonJson,
  comparisonLines,
  type Compared,
  exitCodeOfComparison,
  type Found,
  foundOf,
} from '../comparison-report.ts';
import type { Environment } from '../environment.ts';
import { exitCodeOf, exitCodes } from '../exit-code.ts';
import { errorText } from '../explain-error.ts';
import { hostOptions } from '../host-options.ts';
import { quietLogger } from '../logger-for.ts';
import { narrowToSinks } from '../narrow-manifest.ts';
import { sinceOf } from '../narrowing-of.ts';
import { openAuditOf } from '../open-audit-of.ts';
import { wholeNumber } from '../open-runs-of.ts';
import { operatorName } from '../operator.ts';
import { paintFor } from '../paint.ts';
import { readManifestOf } from '../read-manifest-of.ts';
import { workplaceOf } from '../workplace.ts';

/** Differences that are kept to be told; all are counted. */
const MOST_TOLD = 10_000;

/** `octo-host files compare [pattern]`: holds what the ledger calls delivered against what lies at the sinks. */
export const filesCompare: CommandCode = async (args, environment) => {
  const { rooms, stdout, stderr, env } = environment;
  const query = queryOf(args);
  const logger = await quietLogger(args, environment);
  await using audit = await openAuditOf(args, environment, logger);
  const manifest = await readManifestOf(args, environment, 'hold');
  const narrowed = narrowToSinks(manifest, {
    pipeline: query.pipeline,
    sink: stringOption(args, 'sink'),
  });
  const made = await rooms.createHost(narrowed, await hostOptions(args, environment, logger));
  await using host = new AuditedHost(made, audit, operatorName(env), logger);
  const compared = await compare(query, { manifest, host, logger }, args, environment);
  if (flag(args, 'json')) stdout.write(`${comparisonJson(compared)}\n`);
  else {
    stdout.write(`${comparisonLines(compared, paintFor(stdout, env)).join('\n')}\n`);
    stderr.write('objects without a file in the ledger are not looked for: sinks list none\n');
  }
  await record(compared, query, audit, environment);
  return exitCodeOfComparison(compared);
};

function queryOf(args: Args): DeliveredQuery {
  const [match] = args.operands;
  const pipeline = stringOption(args, 'pipeline');
  const since = stringOption(args, 'since');
  const limit = wholeNumber(args, 'limit', 1, 1_000_000_000);
  return {
    ...(match !== undefined && { match }),
    ...(pipeline !== undefined && { pipeline }),
    ...(since !== undefined && { since: sinceOf(since) }),
    ...(limit !== undefined && { limit }),
  };
}

interface Served {
  readonly manifest: Manifest;
  readonly host: Host;
  readonly logger: Logger;
}

async function compare(
  query: DeliveredQuery,
  { manifest, host, logger }: Served,
  args: Args,
  environment: Environment,
): Promise<Compared> {
  const { rooms, env, clock, random, redactor, signal } = environment;
  const { stateFolder } = workplaceOf(args, environment);
  const databaseUrl = env['DATABASE_URL'];
  await using opened = await rooms.openDatabase({ stateFolder, databaseUrl, logger });
  await host.start(signal);
  const sinks = new AskedSinks(manifest, host);
  const files = new DeliveredFiles(opened.database);
  const found: Found[] = [];
  const comparison = new Comparison({
    files,
    sinkOf: sinks.sinkOf,
    clock,
    random,
    onDifference: (delivery, { kind, reason }) => {
      if (found.length < MOST_TOLD)
        found.push(foundOf(delivery, { kind, reason: redactor.redact(reason) }));
    },
  });
  const only = stringOption(args, 'sink');
  const place = only === undefined ? undefined : sinks.placeOf(only);
  if (only === undefined || place !== undefined) {
    const wanted = { ...query, ...(place !== undefined && { sink: place }) };
    for await (const page of files.pages(wanted)) await comparison.add(page, signal);
  }
  return resultOf(comparison, sinks, found, redactor.redact);
}

function resultOf(
  { agreeing, differing, unseen, failures }: Comparison,
  sinks: AskedSinks,
  found: readonly Found[],
  redact: (text: string) => string,
): Compared {
  const failed = [...failures].map(([id, error]) => {
    return { id, reason: errorText(error), code: exitCodeOf(error) };
  });
  const silent: readonly SilentSink[] = [...sinks.silent, ...failed].map((one) => {
    return { ...one, reason: redact(one.reason) };
  });
  const notCompared = unseen.map((files) => {
    const id = sinks.sinkOf(files)?.id ?? sinks.sinkIdOf(files.pipeline);
    const isSilent = silent.some((one) => one.id === id);
    const reason = isSilent ? `${id} cannot be asked` : 'no sink that was asked leads there';
    return { ...files, reason };
  });
  return { agreeing, differing, found, notCompared, silent };
}

/** That somebody looked, and what became of it: where rows were forged, it is part of the evidence. */
async function record(
  compared: Compared,
  { match, pipeline }: DeliveredQuery,
  audit: AuditTrail,
  { env }: Environment,
): Promise<void> {
  const { agreeing, differing, notCompared, silent } = compared;
  const left = notCompared.reduce((sum, { files }) => sum + files, 0);
  const silentIds = silent.map(({ id }) => id).join(', ');
  await audit.record({
    action: 'file.compare',
    actor: actorNamed(operatorName(env)),
    target: match ?? '*',
    outcome: silent.some(({ code }) => code !== exitCodes.allWell) ? 'failed' : 'done',
    details: {
      ...(pipeline !== undefined && { pipeline }),
      agree: agreeing,
      ...Object.fromEntries(differing),
      notCompared: left,
      ...(silentIds !== '' && { silent: silentIds }),
    },
  });
}
