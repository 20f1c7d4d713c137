import type { ConfigOf } from '@octo/plugin-api';

const IDENTIFIER = '^[A-Za-z][A-Za-z0-9]*(\\{date:[yMd]+\\}[A-Za-z0-9]*)?$';

const securities = {
  type: 'array',
  minItems: 1,
  maxItems: 80_000,
  description:
    'What is asked about: `IBM US Equity` (a ticker), `US912810TM09|ISIN`, or an object where overrides are needed.',
  items: {
    oneOf: [
      { type: 'string', minLength: 1, maxLength: 200 },
      {
        type: 'object',
        required: ['id'],
        additionalProperties: false,
        properties: {
          id: { type: 'string', minLength: 1, maxLength: 200 },
          type: {
            type: 'string',
            pattern: '^[A-Z][A-Z0-9_]*$',
            description: 'TICKER, ISIN, CUSIP, SEDOL, BB_GLOBAL, … Default: TICKER.',
          },
          overrides: {
            type: 'array',
            maxItems: 20,
            items: { type: 'string', pattern: '^[A-Z0-9][A-Z0-9_]*=[^|]+$' },
            description: 'Such as PRICING_SOURCE=BGN.',
          },
        },
      },
    ],
  },
} as const;

const fields = {
  type: 'array',
  minItems: 1,
  maxItems: 500,
  uniqueItems: true,
  items: { type: 'string', pattern: '^[A-Z0-9][A-Z0-9_]*$' },
  description: 'Field mnemonics, such as PX_LAST.',
} as const;

const title = { type: 'string', minLength: 1, maxLength: 200 } as const;

const schedule = {
  type: 'object',
  required: ['frequency', 'startTime'],
  additionalProperties: false,
  properties: {
    frequency: { enum: ['once', 'daily', 'weekday', 'weekend', 'weekly', 'monthly'] },
    startDate: {
      type: 'string',
      pattern: '^\\d{4}-\\d{2}-\\d{2}$',
      description: 'The first day, which must not be over. Default: at once.',
    },
    startTime: { type: 'string', pattern: '^\\d{2}:\\d{2}(:00)?$' },
  },
} as const;

const identifier = { type: 'string', maxLength: 40, pattern: '^[A-Za-z][A-Za-z0-9]*$' } as const;

const requests = {
  type: 'array',
  maxItems: 100,
  description:
    'REST: what is asked for. Each is made once and found again by its identifier; the responses to all of them are delivered. Without any, every response of the catalogue is.',
  items: {
    type: 'object',
    required: ['identifier'],
    additionalProperties: false,
    properties: {
      identifier: {
        type: 'string',
        maxLength: 40,
        pattern: IDENTIFIER,
        description:
          'Letters and digits, at most 21. With {date:yyyyMMdd} in it, it is another request each day.',
      },
      type: {
        enum: ['DataRequest', 'HistoryRequest', 'ActionsRequest', 'BvalSnapshotRequest'],
        default: 'DataRequest',
      },
      title,
      description: { type: 'string', maxLength: 1000 },
      securities,
      universe: {
        ...identifier,
        description: 'In place of securities: the identifier of a stored universe.',
      },
      fields,
      fieldList: {
        ...identifier,
        description: 'In place of fields: the identifier of a stored field list.',
      },
      trigger: {
        description:
          'When it is answered: `now`, on a schedule, or by the stored trigger of this identifier.',
        default: 'now',
        oneOf: [
          { type: 'string', minLength: 1, maxLength: 60, pattern: '^[A-Za-z][A-Za-z0-9]*$' },
          schedule,
        ],
      },
      format: {
        enum: ['csv', 'json', 'bbg'],
        default: 'csv',
        description: 'bbg is the text with START-OF-FILE that SFTP brings, too.',
      },
      pricingSource: { type: 'string', minLength: 1, maxLength: 40 },
      userNumber: {
        type: 'integer',
        minimum: 1,
        description: 'Of the Bloomberg Anywhere user to whose terminal rights the request is tied.',
      },
      history: {
        type: 'object',
        additionalProperties: false,
        description: 'For a HistoryRequest: the last `days`, or from `startDate` to `endDate`.',
        properties: {
          period: { enum: ['daily', 'weekly', 'monthly', 'quarterly', 'yearly'], default: 'daily' },
          days: { type: 'integer', minimum: 1 },
          startDate: { type: 'string', pattern: '^\\d{4}-\\d{2}-\\d{2}$' },
          endDate: { type: 'string', pattern: '^\\d{4}-\\d{2}-\\d{2}$' },
          currency: { type: 'string', pattern: '^[A-Za-z]{3}$' },
        },
      },
      snapshotTier: { type: 'integer', minimum: 1, maximum: 2 },
      enabled: {
        type: 'boolean',
        default: true,
        description: 'false ends a recurring request at Bloomberg, for good.',
      },
    },
  },
} as const;

const requestFiles = {
  type: 'array',
  maxItems: 100,
  description:
    'SFTP: request files that are uploaded, each once. Without any, every file in the folder but *.req is delivered.',
  items: {
    type: 'object',
    required: ['reply', 'securities'],
    additionalProperties: false,
    properties: {
      reply: {
        type: 'string',
        minLength: 1,
        maxLength: 60,
        pattern: '^[A-Za-z0-9_]+(\\{date:[yMd]+\\}[A-Za-z0-9_]*)?(\\.[A-Za-z0-9]+)?$',
        description:
          'Name of the reply, such as px{date:MMdd}.out: with a date in it, the file is uploaded anew each day.',
      },
      firmName: { type: 'string', minLength: 1, description: 'Default: the username.' },
      program: {
        enum: [
          'getdata',
          'gethistory',
          'getactions',
          'getquotes',
          'getallticks',
          'getticks',
          'getcompany',
        ],
        default: 'getdata',
      },
      programFlag: {
        enum: ['adhoc', 'oneshot', 'daily', 'weekday', 'weekend', 'weekly', 'monthly'],
        default: 'adhoc',
        description: 'All but adhoc subscribe, and are billed as such, for months.',
      },
      headers: {
        type: 'array',
        items: { type: 'string', pattern: '^[A-Z][A-Z_]*=.+$' },
        default: [],
        description:
          'Further header lines: SECMASTER=yes, CLOSINGVALUES=yes, DATEFORMAT=yyyymmdd, COMPRESS=yes, …',
      },
      fields,
      securities,
    },
  },
} as const;

/** What the manifest may say about a Data License account. {@link checkConfig} refuses what a schema says badly. */
export const configSchema = {
  type: 'object',
  additionalProperties: false,
  properties: {
    transport: { enum: ['rest', 'sftp'], default: 'rest' },
    credential: {
      type: 'string',
      minLength: 1,
      secret: true,
      description:
        'REST: the text of the credential file from console.bloomberg.com, as "${file:keys/bloomberg.txt}".',
    },
    clientId: { type: 'string', minLength: 1, description: 'REST: in place of credential.' },
    clientSecret: {
      type: 'string',
      minLength: 1,
      secret: true,
      description: 'REST: with clientId; 64 hexadecimal characters.',
    },
    auth: {
      enum: ['jwt', 'oauth2'],
      default: 'jwt',
      description: 'REST: a signed token for each request, or OAuth2 client credentials.',
    },
    endpoint: {
      type: 'string',
      format: 'uri',
      default: 'https://api.bloomberg.com/eap',
      description: 'REST: where the API is.',
    },
    tokenEndpoint: {
      type: 'string',
      format: 'uri',
      default: 'https://bsso.blpprofessional.com/ext/api/as/token.oauth2',
      description: 'REST with oauth2: where tokens are had.',
    },
    catalog: {
      type: 'string',
      pattern: '^[A-Za-z0-9]+$',
      description: "REST: the catalogue. Default: the account's own, as the API names it.",
    },
    universes: {
      type: 'array',
      maxItems: 100,
      description: 'REST: lists of securities that are stored at Bloomberg, for several requests.',
      items: {
        type: 'object',
        required: ['identifier', 'securities'],
        additionalProperties: false,
        properties: { identifier, title, securities },
      },
    },
    fieldLists: {
      type: 'array',
      maxItems: 100,
      description: 'REST: lists of fields that are stored at Bloomberg, for several requests.',
      items: {
        type: 'object',
        required: ['identifier', 'fields'],
        additionalProperties: false,
        properties: {
          identifier,
          title,
          type: {
            enum: ['DataFieldList', 'HistoryFieldList', 'BvalSnapshotFieldList'],
            default: 'DataFieldList',
          },
          fields,
        },
      },
    },
    triggers: {
      type: 'array',
      maxItems: 100,
      description: 'REST: schedules that are stored at Bloomberg, for several requests.',
      items: {
        type: 'object',
        required: ['identifier', 'frequency', 'startTime'],
        additionalProperties: false,
        properties: { identifier, title, ...schedule.properties },
      },
    },
    requests,
    prefix: {
      type: 'string',
      minLength: 1,
      description: 'REST: without requests, deliver only responses whose keys begin so.',
    },
    notifications: {
      enum: ['sse', 'poll'],
      default: 'sse',
      description: 'REST: while waiting, be told of responses, or only look every pollMs.',
    },
    requestsPerSecond: {
      type: 'number',
      exclusiveMinimum: 0,
      maximum: 20,
      default: 10,
      description: 'REST: in the long run. Bloomberg allows 1200 a minute for each credential.',
    },
    burst: {
      type: 'integer',
      minimum: 1,
      maximum: 100,
      default: 20,
      description: 'REST: how many may follow each other at once.',
    },
    waitMs: {
      type: 'integer',
      minimum: 0,
      maximum: 86_400_000,
      default: 0,
      description:
        'How long a run waits for the answers to its requests that are not there yet; 0 leaves them to the next run. Give the plugin a policy.timeoutMs that is longer.',
    },
    pollMs: {
      type: 'integer',
      minimum: 1000,
      default: 30_000,
      description:
        'While waiting: how often to look. Over SFTP, Bloomberg wants 10 seconds or more.',
    },
    timezone: {
      type: 'string',
      minLength: 1,
      default: 'America/New_York',
      description: 'Whose day {date:…} in identifiers and reply names is.',
    },
    host: { type: 'string', minLength: 1, default: 'sftp.bloomberg.com', description: 'SFTP.' },
    port: { type: 'integer', minimum: 1, maximum: 65535, default: 22, description: 'SFTP.' },
    username: { type: 'string', minLength: 1, description: 'SFTP: the account, such as dl123456.' },
    password: { type: 'string', minLength: 1, secret: true, description: 'SFTP.' },
    privateKey: {
      type: 'string',
      minLength: 1,
      secret: true,
      description:
        'SFTP: the text of a private key, PEM or OpenSSH; instead of a password, or before it.',
    },
    passphrase: {
      type: 'string',
      minLength: 1,
      secret: true,
      description: 'Opens the private key.',
    },
    hostKeys: {
      type: 'array',
      minItems: 1,
      items: { type: 'string', pattern: '^SHA256:[A-Za-z0-9+/]{43}=?$' },
      description:
        "SFTP: fingerprints of the server's host keys, as `ssh-keygen -l` prints them. Several while they rotate.",
    },
    legacyAlgorithms: {
      type: 'boolean',
      default: false,
      description: 'SFTP: also accept what is considered weak (SHA-1, CBC), for an older host.',
    },
    remoteDir: {
      type: 'string',
      minLength: 1,
      default: '.',
      description: 'SFTP: the folder; `.` is where the login arrives.',
    },
    requestFiles,
    pattern: {
      type: 'string',
      minLength: 1,
      maxLength: 512,
      description:
        'SFTP: regular expression; files whose names match are delivered besides the replies to requestFiles. Its named groups are words for the key template.',
    },
    desPassword: {
      type: 'string',
      minLength: 1,
      secret: true,
      description: 'SFTP: opens replies in the older uuencoded DES; the `decode` step asks for it.',
    },
    settleMs: {
      type: 'integer',
      minimum: 0,
      default: 60_000,
      description:
        'SFTP: how long size and time of a file must stay the same before it counts as complete.',
    },
  },
  examples: [
    {
      credential:
        '{"client_id":"0123456789abcdef0123456789abcdef","client_secret":"6f63746f206578616d706c65206f6e6c79206e6f742061207365637265742121"}',
      requests: [
        {
          identifier: 'octoEod',
          securities: ['IBM US Equity', 'US912810TM09|ISIN'],
          fields: ['PX_LAST', 'CRNCY'],
          trigger: { frequency: 'weekday', startTime: '22:00' },
        },
      ],
    },
    {
      transport: 'sftp',
      username: 'dl123456',
      password: 'from Bloomberg',
      hostKeys: ['SHA256:AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA'],
      requestFiles: [
        {
          reply: 'px{date:MMdd}.out',
          headers: ['SECMASTER=yes', 'CLOSINGVALUES=yes'],
          fields: ['ID_BB_GLOBAL', 'PX_LAST'],
          securities: ['IBM US Equity', 'US912810TM09|ISIN'],
        },
      ],
    },
  ],
} as const;

export type BloombergConfig = ConfigOf<typeof configSchema>;
export type RequestConfig = NonNullable<BloombergConfig['requests']>[number];
export type RequestFileConfig = NonNullable<BloombergConfig['requestFiles']>[number];
export type Securities = ConfigOf<typeof securities>;
