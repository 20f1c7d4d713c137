/** What the parts of a request must look like, as JSON Schema. Unknown members are refused everywhere. */

type Schema = { readonly [keyword: string]: unknown };

const text: Schema = { type: 'string', minLength: 1 };
const mnemonic: Schema = { type: 'string', pattern: '^[A-Z0-9][A-Z0-9_]*$' };
const named: Schema = {
  type: 'object',
  required: ['mnemonic'],
  properties: { mnemonic },
  additionalProperties: false,
};
const date: Schema = { type: 'string', pattern: '^\\d{4}-\\d\\d-\\d\\d$' };

/** A letter first; at most 21 letters and digits. */
export const identifierPattern = '^[A-Za-z][A-Za-z0-9]{0,20}$';

function typed(type: string, properties: Schema = {}, required: readonly string[] = []): Schema {
  return {
    type: 'object',
    required: ['@type', ...required],
    properties: { '@type': { const: type }, ...properties },
    additionalProperties: false,
  };
}

/** What can be stored has a name of its own, when it wants one. */
const storable: Schema = {
  identifier: { type: 'string', pattern: identifierPattern },
  title: text,
  description: text,
};

const fileType: Schema = { enum: ['unixFileType', 'windowsFileType'] };
const dateFormat: Schema = {
  enum: ['yyyymmdd', 'mm/dd/yyyy', 'dd/mm/yyyy', 'ddmmyyyy', 'mmddyyyy'],
};

const fieldOverride = typed('FieldOverride', { mnemonic, override: {} }, ['mnemonic', 'override']);
const identifier = typed(
  'Identifier',
  {
    identifierType: { type: 'string', pattern: '^[A-Z_]+$' },
    identifierValue: text,
    fieldOverrides: { type: 'array', items: fieldOverride, minItems: 1, maxItems: 20 },
  },
  ['identifierType', 'identifierValue'],
);

const field: Schema = {
  type: 'object',
  minProperties: 1,
  maxProperties: 1,
  properties: { mnemonic, cleanName: { type: 'string', pattern: '^[a-z][A-Za-z0-9]*$' } },
  additionalProperties: false,
};
const fields: Schema = { type: 'array', items: field, minItems: 1, maxItems: 500 };

/** 80,000 securities go into one universe. */
const identifiers: Schema = { type: 'array', items: identifier, minItems: 1, maxItems: 80_000 };

const interval = typed('IntervalDateRange', { startDate: date, endDate: date }, [
  'startDate',
  'endDate',
]);
const dateRange: Schema = {
  type: 'object',
  discriminator: { propertyName: '@type' },
  required: ['@type'],
  oneOf: [
    interval,
    typed('DurationDateRange', { days: { type: 'integer', minimum: 1 } }, ['days']),
  ],
};

/** By the `@type` of what they describe. */
export const COMPONENT_SCHEMAS: { readonly [type: string]: Schema } = {
  Universe: typed('Universe', { ...storable, contains: identifiers }, ['contains']),
  DataFieldList: typed('DataFieldList', { ...storable, contains: fields }, ['contains']),
  HistoryFieldList: typed('HistoryFieldList', { ...storable, contains: fields }, ['contains']),
  SubmitTrigger: typed('SubmitTrigger', storable),
  ScheduledTrigger: typed(
    'ScheduledTrigger',
    {
      ...storable,
      frequency: { enum: ['once', 'daily', 'weekday', 'weekend', 'weekly', 'monthly'] },
      startDate: date,
      startTime: { type: 'string', pattern: '^\\d\\d:\\d\\d:00$' },
    },
    ['frequency'],
  ),
  MediaType: typed('MediaType', { outputMediaType: { enum: ['text/csv', 'application/json'] } }, [
    'outputMediaType',
  ]),
  DataFormat: typed('DataFormat', {
    columnHeader: { type: 'boolean' },
    dateFormat,
    delimiter: { enum: ['|', ',', ';'] },
    encoding: { enum: ['UTF-8', 'ASCII'] },
    fileType,
    outputFormat: { enum: ['variableOutputFormat', 'fixedOutputFormat', 'bulkListOutputFormat'] },
  }),
  HistoryFormat: typed('HistoryFormat', {
    dateFormat,
    displayPricingSource: { type: 'boolean' },
    fileType,
  }),
  ActionsFormat: typed('ActionsFormat', { dateFormat, fileType }),
  HistoryRuntimeOptions: typed(
    'HistoryRuntimeOptions',
    {
      period: { enum: ['daily', 'weekly', 'monthly', 'quarterly', 'yearly'] },
      dateRange,
      historyPriceCurrency: { type: 'string', pattern: '^[A-Za-z]{3}$' },
    },
    ['dateRange'],
  ),
  BbaTerminalIdentity: typed('BbaTerminalIdentity', { userNumber: { type: 'integer' } }, [
    'userNumber',
  ]),
  BlpTerminalIdentity: typed(
    'BlpTerminalIdentity',
    {
      userNumber: { type: 'integer' },
      serialNumber: { type: 'integer' },
      workStation: { type: 'integer' },
    },
    ['userNumber', 'serialNumber', 'workStation'],
  ),
  DataPricingSourceOptions: typed('DataPricingSourceOptions', { prefer: named }, ['prefer']),
  HistoryPricingSourceOptions: typed('HistoryPricingSourceOptions', {
    prefer: named,
    exclusive: { type: 'boolean' },
    includeSourceInOutput: { type: 'boolean' },
  }),
  ActionsRuntimeOptions: typed('ActionsRuntimeOptions', {
    actionsDate: { enum: ['entry', 'effective', 'both'] },
    dateRange: {
      type: 'object',
      discriminator: { propertyName: '@type' },
      required: ['@type'],
      oneOf: [
        interval,
        typed('ActionsDurationDateRange', { days: { type: 'integer', minimum: 0, maximum: 7 } }, [
          'days',
        ]),
      ],
    },
  }),
};
