import { join, resolve } from 'node:path';
import { auditKeyFile, readAuditKey } from '../../audit/audit-key.ts';
import type { ChainVerdict } from '../../audit/chain-check.ts';
import { type Checkpoint, logIdOf } from '../../audit/checkpoint.ts';
import { CHECKPOINT_FILE, checkpointFolder } from '../../audit/checkpoint-place.ts';
import { auditFolder } from '../../audit/open-audit.ts';
import { checkpointsInFile } from '../../audit/read-checkpoints.ts';
import { segmentsOf } from '../../audit/segments.ts';
import { verifyAudit } from '../../audit/verify-audit.ts';
import { checkpointFiles } from '../checkpoint-files.ts';
import { flag, stringOption, type Args, type CommandCode } from '../command.ts';
import type { Environment } from '../environment.ts';
import { exitCodes } from '../exit-code.ts';
import { paintFor } from '../paint.ts';
import { count } from '../run-line.ts';
import { UsageError } from '../usage-error.ts';
import { workplaceOf } from '../workplace.ts';

/** `octo-host audit verify`: is every record there, as it was written? Exit code 1 when not. */
export const auditVerify: CommandCode = async (args, environment) => {
  const { stdout, env } = environment;
  const { stateFolder } = workplaceOf(args, environment);
  const folder = auditFolder(stateFolder);
  if ((await segmentsOf(folder)).length === 0)
    throw new UsageError(`there is no audit log in ${folder}`, 'octo-host audit verify --help');
  const key = await keyOf(args, environment, stateFolder);
  const files = await filesOf(args, environment);
  const verdict = await verifyAudit(folder, key, checkpointsOf(files ?? [], logIdOf(key)));
  if (flag(args, 'json')) {
    const { head, ...rest } = verdict;
    stdout.write(`${JSON.stringify({ ok: verdict.bad === undefined, ...rest, last: head })}\n`);
  } else {
    const paint = paintFor(stdout, env);
    const [headline = '', ...lines] = verdictLines(verdict, files !== undefined);
    stdout.write(`${paint(verdict.bad ? 'bad' : 'good', headline)}\n${lines.join('\n')}\n`);
  }
  return verdict.bad === undefined ? exitCodes.allWell : exitCodes.filesRefused;
};

async function keyOf(args: Args, { cwd }: Environment, stateFolder: string): Promise<Buffer> {
  const named = stringOption(args, 'key');
  const file = named === undefined ? auditKeyFile(stateFolder) : resolve(cwd, named);
  const key = await readAuditKey(file);
  if (key !== undefined) return key;
  throw new UsageError(
    `the key of the audit log, ${file}, is not there; --key FILE names another`,
    'octo-host audit verify --help',
  );
}

/** The files with checkpoints; `undefined` when nobody has said where they are. */
async function filesOf(args: Args, { cwd, env }: Environment): Promise<string[] | undefined> {
  const named = stringOption(args, 'checkpoints');
  if (named !== undefined) return await checkpointFiles(named, cwd);
  const kept = checkpointFolder(env['OCTO_AUDIT_CHECKPOINT'] ?? '');
  return kept === undefined ? undefined : [join(kept, CHECKPOINT_FILE)];
}

async function* checkpointsOf(
  files: readonly string[],
  log: string,
): AsyncGenerator<Checkpoint, void, void> {
  for (const file of files) {
    try {
      yield* checkpointsInFile(file, log);
    } catch (error) {
      const { code = 'unreadable' } = error as NodeJS.ErrnoException;
      throw new UsageError(
        `the checkpoints in ${file} cannot be read (${code}); --checkpoints FILES names any files with their lines`,
        'octo-host audit verify --help',
      );
    }
  }
}

function verdictLines(verdict: ChainVerdict, hasCheckpoints: boolean): string[] {
  const { records, segments, firstAt, lastAt, bad, torn, openBytes } = verdict;
  const headline =
    bad === undefined
      ? `the audit log is whole: ${count(records, 'record')} in ${count(segments, 'file')}`
      : `the audit log was changed: record ${bad.n} (${bad.file}:${bad.line}): ${bad.why}`;
  return [
    headline,
    ...(bad !== undefined
      ? [`the ${count(records, 'record')} before it are as they were written`]
      : []),
    ...(firstAt !== undefined ? [`from ${firstAt} to ${lastAt}`] : []),
    ...(torn.length > 0
      ? [`a process was killed while it wrote: before record ${torn.join(', ')}`]
      : []),
    ...(openBytes > 0
      ? [`${openBytes} bytes of a record that is not finished stand at its end`]
      : []),
    ...checkpointLines(verdict, hasCheckpoints),
  ];
}

function checkpointLines(
  { checkpoints, provenTo }: ChainVerdict,
  hasCheckpoints: boolean,
): string[] {
  if (!hasCheckpoints)
    return [
      'no checkpoints: records that were cut off at the end would not be missed (--checkpoints FILES)',
    ];
  if (checkpoints === 0) return ['no checkpoint of this log was found'];
  return [`${count(checkpoints, 'checkpoint')} agree: nothing is missing up to record ${provenTo}`];
}
