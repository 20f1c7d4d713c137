import type { CommandSpec } from './command.ts';
import { narrowingOptions } from './narrowing-of.ts';
import { auditCommands } from './specs/audit-commands.ts';
import { common, log, ofPipeline } from './specs/options.ts';
import { keysCommands } from './specs/keys-commands.ts';
import { secretsCommands } from './specs/secrets-commands.ts';
import { runsCommands } from './specs/runs-commands.ts';

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
      'api-insecure': {
        type: 'string',
        value: '1|0',
        summary: 'keys may cross the network in the clear (or OCTO_API_INSECURE)',
      },
      'api-cors': {
        type: 'string',
        value: 'ORIGINS',
        summary: 'origins of web pages that may call, with commas (or OCTO_API_CORS)',
      },
      'requests-per-second': {
        type: 'string',
        value: 'N',
        summary: 'what one key may ask in a second (or OCTO_REQUESTS_PER_SECOND)',
      },
      'max-body': {
        type: 'string',
        value: 'SIZE',
        summary: 'the longest body of a request, such as 1MiB (or OCTO_MAX_BODY)',
      },
      'retention-days': {
        type: 'string',
        value: 'N',
        summary: 'how long ended runs are remembered (or OCTO_RETENTION_DAYS)',
      },
      'telemetry-endpoint': {
        type: 'string',
        value: 'URL',
        summary:
          'a collector for traces (default host.telemetry.endpoint; or OTEL_EXPORTER_OTLP_ENDPOINT)',
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
      pipeline: ofPipeline,
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
      pipeline: ofPipeline,
    },
    load: async () => (await import('./commands/files-show.ts')).filesShow,
  },
  {
    name: 'files compare',
    operands: [{ name: 'pattern', required: false }],
    summary:
      'hold what was delivered against what lies at the sinks: is each object as the ledger has it?',
    details: [
      'Delivers nothing and changes nothing. Tells rows and objects that were changed, and objects that',
      'are gone, with what to do; exit code 1 when there are any, 3 when a sink does not answer.',
      'Objects that the ledger does not know are not found: a sink lists none.',
    ],
    options: {
      ...common,
      pipeline: ofPipeline,
      sink: { type: 'string', value: 'ID', summary: 'only what lies at this plugin' },
      since: {
        type: 'string',
        value: 'TIME',
        summary: 'only files discovered at or after this time (2026-01-15, or with T03:45Z)',
      },
      limit: { type: 'string', short: 'n', value: 'N', summary: 'only the newest N (default all)' },
    },
    load: async () => (await import('./commands/files-compare.ts')).filesCompare,
  },
  {
    name: 'files release',
    operands: [{ name: 'name', required: true }],
    summary: 'let a quarantined file be tried again by the next run',
    options: {
      ...common,
      pipeline: ofPipeline,
      all: { type: 'boolean', summary: 'release every match, not just a single one' },
    },
    load: async () => (await import('./commands/files-release.ts')).filesRelease,
  },
  ...runsCommands,
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
    name: 'plugins reset',
    operands: [{ name: 'id', required: true }],
    summary: 'ask a vendor or sink as usual again that is left alone',
    details: [
      'Runs that wait for it begin at their time; octo-host run tries one pipeline at once.',
    ],
    options: common,
    load: async () => (await import('./commands/plugins-reset.ts')).pluginsReset,
  },
  ...keysCommands,
  ...secretsCommands,
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
  ...auditCommands,
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
