/** The parts of the API's documents, as JSON Schema 2020-12. Routes, answers and the OpenAPI document are made of them. */

const text = { type: 'string' } as const;
const count = { type: 'integer', minimum: 0 } as const;
const time = { type: 'string', format: 'date-time' } as const;

export const closed = <P extends object>(
  properties: P,
  required: readonly (keyof P & string)[] = [],
) => ({ type: 'object', additionalProperties: false, required, properties }) as const;

export const listOf = (items: object) => ({ type: 'array', items }) as const;

export const pipelineId = { type: 'string', pattern: '^[a-z0-9][a-z0-9_-]{0,62}$' } as const;
export const runId = { type: 'string', pattern: '^[A-Za-z0-9_-]{1,128}$' } as const;
export const fileId = { type: 'string', pattern: '^[0-9a-f]{64}$' } as const;
export const instant = { ...time, maxLength: 40 } as const;

/** What every list takes. */
export const paging = {
  limit: {
    type: 'integer',
    minimum: 1,
    maximum: 500,
    default: 100,
    description: 'At most so many. A page may be shorter and still have a next one.',
  },
  cursor: {
    type: 'string',
    minLength: 1,
    maxLength: 512,
    pattern: '^[A-Za-z0-9_=.:-]+$',
    description: 'The "next" of the page before.',
  },
} as const;

const next = {
  ...text,
  description: 'The cursor of the next page; absent on the last one.',
} as const;

export const page = (name: string, items: object) =>
  closed<Record<string, object>>({ [name]: listOf(items), next }, [name]);

const milliseconds = { type: 'number', minimum: 0 } as const;
const stepFields = {
  step: { ...text, description: "download, the pipeline's steps, hash, stage, commit." },
  ms: {
    ...milliseconds,
    description: 'Spent in it alone, without what it waited for in the step before it.',
  },
  bytesIn: count,
  bytesOut: count,
} as const;
const STEP_HAS = ['step', 'ms', 'bytesIn', 'bytesOut'] as const;

const issue = closed({ code: text, message: text, pointer: text, where: text }, [
  'code',
  'message',
]);

export const problem = {
  $id: 'Problem',
  description: 'What is wrong, by RFC 9457.',
  ...closed(
    {
      type: { ...text, format: 'uri' },
      title: text,
      status: { type: 'integer', minimum: 400, maximum: 599 },
      detail: text,
      instance: text,
      code: { ...text, description: 'One of docs/errors.md.' },
      issues: listOf(issue),
    },
    ['type', 'title', 'status', 'detail', 'instance', 'code'],
  ),
} as const;

export const STATES_OF_A_RUN = [
  'QUEUED',
  'RUNNING',
  'SUCCEEDED',
  'FAILED',
  'CANCELLED',
  'QUARANTINED',
] as const;
export const TRIGGERS = ['api', 'command', 'schedule', 'catch-up', 'retry'] as const;

export const run = {
  $id: 'Run',
  ...closed(
    {
      id: text,
      trace: {
        ...text,
        description: "In logs and spans: that of the request's traceparent, or one of its own.",
      },
      pipeline: text,
      trigger: { enum: TRIGGERS },
      by: { ...text, description: 'Who asked for it.' },
      since: time,
      path: text,
      priority: { type: 'integer' },
      state: { enum: STATES_OF_A_RUN },
      attempt: count,
      host: text,
      requestedAt: time,
      startedAt: time,
      endedAt: time,
      notBefore: time,
      cancelledBy: text,
      progress: closed({
        filesToDeliver: count,
        filesDone: count,
        bytesToRead: count,
        bytesRead: count,
        bytesPerSecond: { type: 'number' },
        secondsLeft: { type: 'number' },
      }),
      totals: closed({
        discovered: count,
        delivered: count,
        bytes: count,
        duplicates: count,
        quarantined: count,
        failed: count,
        pending: count,
      }),
      error: closed({ code: text, message: text }, ['code', 'message']),
      timings: {
        type: 'object',
        additionalProperties: milliseconds,
        description: 'Of the last attempt: connect, list, deliver, total. Milliseconds.',
      },
      steps: {
        ...listOf(closed(stepFields, STEP_HAS)),
        description: 'Where the time of its files went, all of them together.',
      },
    },
    ['id', 'pipeline', 'trigger', 'by', 'state', 'attempt', 'requestedAt'],
  ),
} as const;

export const runFile = closed(
  {
    delivery: { ...text, description: 'Its id under /v1/files.' },
    path: text,
    outcome: { enum: ['delivered', 'duplicate', 'quarantined', 'failed', 'pending'] },
    state: text,
    key: text,
    bytes: count,
    reason: text,
    times: {
      ...closed(
        {
          ms: milliseconds,
          steps: listOf(
            closed({ ...stepFields, fromMs: milliseconds, toMs: milliseconds }, STEP_HAS),
          ),
        },
        ['ms', 'steps'],
      ),
      description:
        'Where its time went, from its claim to its end. Steps overlap: fromMs and toMs are the first beginning and the last end.',
    },
  },
  ['path', 'outcome'],
);

export const STATES_OF_A_FILE = [
  'DISCOVERED',
  'CLAIMED',
  'STREAMING',
  'VERIFIED',
  'WAITING',
  'COMMITTED',
  'CLEANED',
  'DUPLICATE_OF',
  'QUARANTINED',
  'SUPERSEDED',
] as const;

const fileFields = {
  id: text,
  pipeline: text,
  sink: text,
  path: text,
  name: text,
  size: count,
  modifiedAt: time,
  state: { enum: STATES_OF_A_FILE },
  reason: text,
  duplicateOf: text,
  key: text,
  attempt: count,
  bytes: count,
  sha256: text,
  rawSha256: text,
  etag: text,
  discoveredAt: time,
  verifiedAt: time,
  committedAt: time,
  notBefore: time,
  facts: { type: 'object', additionalProperties: true },
} as const;
const FILE_HAS = [
  'id',
  'pipeline',
  'sink',
  'path',
  'name',
  'size',
  'state',
  'discoveredAt',
] as const;

export const file = { $id: 'File', ...closed(fileFields, FILE_HAS) } as const;

export const fileWithHistory = closed(
  {
    ...fileFields,
    history: listOf(
      closed({ at: time, run: text, attempt: count, event: text, detail: text }, ['at', 'event']),
    ),
  },
  [...FILE_HAS, 'history'],
);

export const pipeline = {
  $id: 'Pipeline',
  ...closed(
    {
      id: text,
      enabled: { type: 'boolean' },
      from: text,
      to: text,
      steps: listOf(text),
      key: text,
      schedule: text,
      timezone: text,
      every: { type: 'integer', description: 'Between two runs, in milliseconds.' },
      queued: { ...count, description: 'Runs that wait.' },
      running: { ...count, description: 'Runs that go on.' },
    },
    ['id', 'enabled', 'from', 'to', 'steps', 'key', 'queued', 'running'],
  ),
} as const;

const health = closed(
  {
    state: { enum: ['healthy', 'degraded', 'down', 'unknown'] },
    tookMs: { type: 'number' },
    type: text,
    code: text,
    reason: text,
    remedy: text,
  },
  ['state'],
);

const breaker = closed(
  {
    state: { enum: ['closed', 'open', 'half-open'] },
    until: { type: 'string', format: 'date-time', description: 'Of one that is open.' },
    reason: { ...text, description: 'The last failure of one that is not closed.' },
  },
  ['state'],
);

const pluginFields = {
  id: text,
  use: text,
  version: text,
  enabled: { type: 'boolean' },
  kind: { enum: ['provider', 'sink'] },
  name: text,
  summary: text,
  state: { enum: ['created', 'started', 'failed', 'disposed', 'disabled', 'defect', 'held'] },
  reason: text,
  pipelines: listOf(text),
  health,
  breaker: { ...breaker, description: 'Whether it is left alone. Absent when it has none.' },
} as const;
const PLUGIN_HAS = ['id', 'use', 'enabled', 'state', 'pipelines'] as const;

export const plugin = { $id: 'Plugin', ...closed(pluginFields, PLUGIN_HAS) } as const;

export const pluginWithSchema = closed(
  { ...pluginFields, configSchema: { type: 'object', additionalProperties: true } },
  PLUGIN_HAS,
);

const started = closed(
  { id: text, why: { enum: ['new', 'changed'] }, keys: listOf(text), plugins: listOf(text) },
  ['id', 'why', 'keys'],
);
const changes = closed({ kept: listOf(text), started: listOf(started), retired: listOf(text) }, [
  'kept',
  'started',
  'retired',
]);
export const plan = {
  $id: 'Plan',
  ...closed({ plugins: changes, pipelines: changes }, ['plugins', 'pipelines']),
} as const;

/** Everything with a name, for the document. */
export const named = [problem, run, file, pipeline, plugin, plan] as const;
export const ref = ({ $id }: { readonly $id: string }) => ({ $ref: `${$id}#` }) as const;
