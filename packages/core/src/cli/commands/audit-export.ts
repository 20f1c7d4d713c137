import { auditFolder } from '../../audit/open-audit.ts';
import { recordsOf } from '../../audit/verify-audit.ts';
import { canonicalJson } from '../../audit/canonical-json.ts';
import { auditFilter } from '../audit-filter.ts';
import type { CommandCode } from '../command.ts';
import { exitCodes } from '../exit-code.ts';
import { workplaceOf } from '../workplace.ts';

/** `octo-host audit export [target]`: one JSON object a line, oldest first, for whoever keeps logs. */
export const auditExport: CommandCode = async (args, environment) => {
  const wanted = auditFilter(args);
  const { stateFolder } = workplaceOf(args, environment);
  for await (const record of recordsOf(auditFolder(stateFolder)))
    if (wanted(record)) environment.stdout.write(`${canonicalJson(record)}\n`);
  return exitCodes.allWell;
};
