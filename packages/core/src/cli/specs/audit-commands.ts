import type { CommandSpec, OptionSpec } from '../command.ts';
import { common } from './options.ts';

const auditFilters = {
  action: { type: 'string', value: 'WHAT', summary: 'only such as "file.*" or "manifest.apply"' },
  actor: { type: 'string', value: 'WHO', summary: 'only by these, such as "operator:*"' },
  only: { type: 'string', value: 'OUTCOMES', summary: 'only done, denied or failed' },
  since: { type: 'string', value: 'TIME', summary: 'only from then on: 2026-01-31T08:00Z' },
} as const satisfies Record<string, OptionSpec>;

/** The record of who did what. */
export const auditCommands: readonly CommandSpec[] = [
  {
    name: 'audit verify',
    operands: [],
    summary: 'prove that nobody changed the audit log, or say where',
    details: [
      'Exit code 1 when a record was changed, removed, added or moved: the first one is named. Only',
      'checkpoints tell whether the newest records were cut off: --checkpoints takes any files that',
      'have their lines, such as those of syslog, in any order; * matches anything in a name, and .gz is',
      'unpacked: "/var/log/octo.log*,old.log". Without it the folder of OCTO_AUDIT_CHECKPOINT.',
    ],
    options: {
      ...common,
      checkpoints: { type: 'string', value: 'FILES', summary: 'where checkpoints were kept' },
      key: { type: 'string', value: 'FILE', summary: 'the key of the log (default audit.key)' },
    },
    load: async () => (await import('../commands/audit-verify.ts')).auditVerify,
  },
  {
    name: 'audit show',
    operands: [{ name: 'target', required: false }],
    summary: 'list the newest records of the audit log',
    details: ['TARGET is a path, a pipeline or a plugin; * matches anything: "*details*".'],
    options: {
      ...common,
      ...auditFilters,
      limit: { type: 'string', short: 'n', value: 'N', summary: 'at most so many (default 100)' },
    },
    load: async () => (await import('../commands/audit-show.ts')).auditShow,
  },
  {
    name: 'audit export',
    operands: [{ name: 'target', required: false }],
    summary: 'print the audit log, one JSON object a line, oldest first',
    options: { ...common, ...auditFilters },
    load: async () => (await import('../commands/audit-export.ts')).auditExport,
  },
];
