import type { CommandSpec, OptionSpec } from './command.ts';
import { narrowingOptions } from './narrowing-of.ts';

const common = {
  manifest: {
    type: 'string',
    short: 'm',
    value: 'FILE',
    summary: 'the manifest (default plugins.json)',
  },
  state: {
    type: 'string',
    value: 'DIR',
    summary: 'the state folder (default .octo beside the manifest; or OCTO_STATE)',
  },
  json: { type: 'boolean', summary: 'JSON for programs instead of text for people' },
  help: { type: 'boolean', short: 'h', summary: 'explain this command' },
} as const satisfies Record<string, OptionSpec>;

const log = {
  type: 'string',
  value: 'text|json',
  summary: 'how to log (default text on a terminal, else json; or OCTO_LOG_FORMAT)',
} as const satisfies OptionSpec;

const auditFilters = {
  action: { type: 'string', value: 'WHAT', summary: 'only such as "file.*" or "manifest.apply"' },
  actor: { type: 'string', value: 'WHO', summary: 'only by these, such as "operator:*"' },
  only: { type: 'string', value: 'OUTCOMES', summary: 'only done, denied or failed' },
  since: { type: 'string', value: 'TIME', summary: 'only from then on: 2026-01-31T08:00Z' },
} as const satisfies Record<string, OptionSpec>;

/** Every command. The code of a command is loaded when it is called, so that `lint` does not wait for a database. */
export const commands: readonly CommandSpec[] = [
  {
    name: 'start',
    operands: [],
    summary: 'run every pipeline on its schedule until SIGTERM or Ctrl-C',
    details: [
      'Runs each enabled pipeline by its "schedule" (cron) or "every" in the manifest, one run of a',
      'pipeline at a time. SIGTERM or Ctrl-C starts no new runs and gives running ones 20 seconds.',
      'A changed manifest is taken while runs go on; SIGHUP looks at it at once.',
    ],
    options: {
      ...common,
      log,
      'api-address': {
        type: 'string',
        value: 'ADDRESS',
        summary: 'where the API listens (default host.api.address; or OCTO_API_ADDRESS)',
      },
      'api-port': {
        type: 'string',
        value: 'PORT',
        summary: 'serve the API on this port (default host.api.port; or OCTO_API_PORT)',
      },
      'no-watch': { type: 'boolean', summary: 'look at the manifest only when SIGHUP says so' },
    },
    load: async () => (await import('./commands/start.ts')).start,
  },
  {
    name: 'run',
    operands: [{ name: 'pipeline', required: true }],
    summary: 'deliver what is new in one pipeline, once',
    details: [
      'Works beside a running host. With --json, ends with exactly one JSON line on stdout.',
      '--since and --path narrow it to some of the files; what was delivered is not delivered again.',
    ],
    options: { ...common, log, ...narrowingOptions },
    load: async () => (await import('./commands/run.ts')).run,
  },
  {
    name: 'check',
    operands: [],
    summary: 'try every vendor and sink, step by step, and say what to do about failures',
    details: ['Leaves nothing behind at the vendor or the sink.'],
    options: common,
    load: async () => (await import('./commands/check.ts')).check,
  },
  {
    name: 'health',
    operands: [],
    summary: 'ask every plugin how it is: healthy, degraded, down or unknown',
    details: [
      'All are asked at the same time, each for its "timeoutMs" at most, and never for more than 10',
      'seconds; "degraded" is one that needs more than half of that. Exit code 3 when one is down.',
    ],
    options: common,
    load: async () => (await import('./commands/health.ts')).health,
  },
  {
    name: 'lint',
    operands: [],
    summary: 'check the manifest and every plugin configuration, without any connection',
    options: common,
    load: async () => (await import('./commands/lint.ts')).lint,
  },
  {
    name: 'plan',
    operands: [],
    summary: 'say what the manifest would start, keep and retire, without doing it',
    details: ['Compares with the running host; without one everything would start.'],
    options: {
      ...common,
      against: { type: 'string', value: 'FILE', summary: 'compare with this manifest instead' },
    },
    load: async () => (await import('./commands/plan.ts')).plan,
  },
  {
    name: 'files',
    operands: [{ name: 'pattern', required: false }],
    summary: 'list the files that the ledger knows',
    details: ['A pattern matches names, paths, ids and keys; * matches anything: "*details*".'],
    options: {
      ...common,
      pipeline: { type: 'string', short: 'p', value: 'ID', summary: 'only of this pipeline' },
      only: {
        type: 'string',
        value: 'STATES',
        summary: 'only in these states: delivered, quarantined, duplicate, superseded, open',
      },
      limit: { type: 'string', short: 'n', value: 'N', summary: 'at most so many (default 100)' },
    },
    load: async () => (await import('./commands/files.ts')).files,
  },
  {
    name: 'files show',
    operands: [{ name: 'name', required: true }],
    summary: "tell a file's whole life over all runs",
    details: [
      'NAME is a name, path, id or key; * matches anything. Several matches: each is told.',
    ],
    options: {
      ...common,
      pipeline: { type: 'string', short: 'p', value: 'ID', summary: 'only of this pipeline' },
    },
    load: async () => (await import('./commands/files-show.ts')).filesShow,
  },
  {
    name: 'files release',
    operands: [{ name: 'name', required: true }],
    summary: 'let a quarantined file be tried again by the next run',
    options: {
      ...common,
      pipeline: { type: 'string', short: 'p', value: 'ID', summary: 'only of this pipeline' },
      all: { type: 'boolean', summary: 'release every match, not just a single one' },
    },
    load: async () => (await import('./commands/files-release.ts')).filesRelease,
  },
  {
    name: 'runs',
    operands: [],
    summary: 'list the runs that wait, go on and have ended',
    options: {
      ...common,
      pipeline: { type: 'string', short: 'p', value: 'ID', summary: 'only of this pipeline' },
      only: {
        type: 'string',
        value: 'STATES',
        summary: 'only in these states: queued, running, succeeded, failed, cancelled, quarantined',
      },
      limit: { type: 'string', short: 'n', value: 'N', summary: 'at most so many (default 50)' },
    },
    load: async () => (await import('./commands/runs.ts')).runs,
  },
  {
    name: 'runs show',
    operands: [{ name: 'id', required: true }],
    summary: 'tell what became of a run and of each of its files',
    options: common,
    load: async () => (await import('./commands/runs-show.ts')).runsShow,
  },
  {
    name: 'runs request',
    operands: [{ name: 'pipeline', required: true }],
    summary: 'put a run into the queue of the hosts',
    details: [
      'Durable when the command ends; the next host with a free place for the pipeline takes it.',
      'For a backfill: --since and --path; what was delivered is not delivered again.',
    ],
    options: {
      ...common,
      ...narrowingOptions,
      priority: { type: 'string', value: 'N', summary: 'higher first, -100 to 100 (default 0)' },
      key: {
        type: 'string',
        value: 'KEY',
        summary: 'the same request with the same key is the same run',
      },
    },
    load: async () => (await import('./commands/runs-request.ts')).runsRequest,
  },
  {
    name: 'runs cancel',
    operands: [{ name: 'id', required: true }],
    summary: 'take a run out of the queue, or stop it',
    options: common,
    load: async () => (await import('./commands/runs-cancel.ts')).runsCancel,
  },
  {
    name: 'runs retry',
    operands: [{ name: 'id', required: true }],
    summary: 'ask for the same run again',
    options: common,
    load: async () => (await import('./commands/runs-retry.ts')).runsRetry,
  },
  {
    name: 'plugins',
    operands: [],
    summary: 'list the configured plugins',
    options: common,
    load: async () => (await import('./commands/plugins.ts')).plugins,
  },
  {
    name: 'plugins show',
    operands: [{ name: 'id', required: true }],
    summary: "explain a plugin's configuration",
    details: ['ID is an instance of the manifest, or a package name or path.'],
    options: common,
    load: async () => (await import('./commands/plugins-show.ts')).pluginsShow,
  },
  {
    name: 'keys create',
    operands: [],
    summary: 'make a key for the API; it is printed once',
    details: [
      'Prints the key alone on stdout. A scope is an action, and for some a pipeline or how it begins:',
      'runs:read, runs:write:affirm-*, files:read, files:write, manifest:apply, metrics:read, admin …',
    ],
    options: {
      ...common,
      name: { type: 'string', value: 'TEXT', summary: 'what the key is for' },
      scope: { type: 'string', value: 'SCOPES', summary: 'what it may do, with commas between' },
      expires: {
        type: 'string',
        value: 'WHEN',
        summary: 'a period such as 90d, or a moment (default never)',
      },
    },
    load: async () => (await import('./commands/keys-create.ts')).keysCreate,
  },
  {
    name: 'keys list',
    operands: [],
    summary: 'list the keys of the API, and when they were used',
    options: common,
    load: async () => (await import('./commands/keys-list.ts')).keysList,
  },
  {
    name: 'keys revoke',
    operands: [{ name: 'id', required: true }],
    summary: 'make a key open nothing any more',
    options: common,
    load: async () => (await import('./commands/keys-revoke.ts')).keysRevoke,
  },
  {
    name: 'hostkey scan',
    operands: [{ name: 'host[:port]', required: true }],
    summary: "print the fingerprints of an SFTP server's keys, to compare and to pin",
    details: [
      'What a server shows proves nothing: compare it with what the vendor says by phone or portal,',
      'then paste the line into "hostKeys". Exit code 3 when the server cannot be reached.',
    ],
    options: { json: common.json, help: common.help },
    load: async () => (await import('./commands/hostkey-scan.ts')).hostkeyScan,
  },
  {
    name: 'audit verify',
    operands: [],
    summary: 'prove that nobody changed the audit log, or say where',
    details: [
      'Exit code 1 when a record was changed, removed, added or moved: the first one is named. Only',
      'checkpoints tell whether the newest records were cut off: --checkpoints takes any file that',
      'has their lines, such as one of syslog; without it the folder of OCTO_AUDIT_CHECKPOINT.',
    ],
    options: {
      ...common,
      checkpoints: { type: 'string', value: 'FILE', summary: 'where checkpoints were kept' },
      key: { type: 'string', value: 'FILE', summary: 'the key of the log (default audit.key)' },
    },
    load: async () => (await import('./commands/audit-verify.ts')).auditVerify,
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
    load: async () => (await import('./commands/audit-show.ts')).auditShow,
  },
  {
    name: 'audit export',
    operands: [{ name: 'target', required: false }],
    summary: 'print the audit log, one JSON object a line, oldest first',
    options: { ...common, ...auditFilters },
    load: async () => (await import('./commands/audit-export.ts')).auditExport,
  },
  {
    name: 'help',
    operands: [{ name: 'command', required: false }],
    summary: 'explain the commands, or one of them',
    options: { help: common.help },
    load: async () => (await import('./commands/help.ts')).help,
  },
  {
    name: 'version',
    operands: [],
    summary: 'print the version',
    options: { help: common.help, json: common.json },
    load: async () => (await import('./commands/version.ts')).version,
  },
];
