/** What the configuration asks for, in the words of the REST API. */
import type { BloombergConfig, RequestConfig, Securities } from '../config-schema.ts';
import { securitiesOf } from '../security.ts';

export type Body = { readonly [name: string]: unknown };

type Universe = NonNullable<BloombergConfig['universes']>[number];
type FieldList = NonNullable<BloombergConfig['fieldLists']>[number];
type Trigger = NonNullable<BloombergConfig['triggers']>[number];
type Schedule = Pick<Trigger, 'frequency' | 'startDate' | 'startTime'>;

export function universeBody({ identifier, title, securities }: Universe): Body {
  return { '@type': 'Universe', ...named(identifier, title), contains: contained(securities) };
}

export function fieldListBody({ identifier, title, type, fields }: FieldList): Body {
  return { '@type': type, ...named(identifier, title), contains: mnemonics(fields) };
}

export function triggerBody({ identifier, title, ...schedule }: Trigger): Body {
  return { ...named(identifier, title), ...scheduled(schedule) };
}

/**
 * @param identifier with the day in it, where the configured one has a date
 * @param urlOf the address of something stored in the catalogue: `universes`, `abc` → `https://…/universes/abc/`
 */
export function requestBody(
  request: RequestConfig,
  identifier: string,
  urlOf: (collection: string, identifier: string) => string,
): Body {
  const { description, fieldList, fields, format, pricingSource, type, userNumber } = request;
  return {
    '@type': type,
    ...named(identifier, request.title),
    ...(description !== undefined && { description }),
    universe:
      request.universe === undefined
        ? { '@type': 'Universe', contains: contained(request.securities ?? []) }
        : urlOf('universes', request.universe),
    ...(fieldList !== undefined && { fieldList: urlOf('fieldLists', fieldList) }),
    ...(fields !== undefined && {
      fieldList: { '@type': FIELD_LISTS[type], contains: mnemonics(fields) },
    }),
    trigger: triggerOf(request, urlOf),
    formatting: format === 'bbg' ? FRAMES[type] : { '@type': 'MediaType', ...MEDIA_TYPES[format] },
    ...(pricingSource !== undefined && {
      pricingSourceOptions: {
        '@type': PRICING_SOURCES[type],
        prefer: { mnemonic: pricingSource },
      },
    }),
    ...(userNumber !== undefined && {
      terminalIdentity: { '@type': 'BbaTerminalIdentity', userNumber },
    }),
    ...historyOf(request),
  };
}

function triggerOf(
  { trigger, type, snapshotTier }: RequestConfig,
  urlOf: (collection: string, identifier: string) => string,
): unknown {
  if (typeof trigger !== 'string') return scheduled(trigger);
  if (trigger !== 'now') return urlOf('triggers', trigger);
  return type === 'BvalSnapshotRequest'
    ? { '@type': 'BvalSnapshotTrigger', snapshotTier: snapshotTier ?? 1 }
    : { '@type': 'SubmitTrigger' };
}

/** Times have seconds. */
function scheduled({ frequency, startDate, startTime }: Schedule): Body {
  const seconds = startTime.length === 'HH:MM'.length ? ':00' : '';
  return {
    '@type': 'ScheduledTrigger',
    frequency,
    ...(startDate !== undefined && { startDate }),
    startTime: `${startTime}${seconds}`,
  };
}

function historyOf({ history, type }: RequestConfig): Body {
  if (type !== 'HistoryRequest' || history === undefined) return {};
  const { currency, days, endDate, period, startDate } = history;
  return {
    runtimeOptions: {
      '@type': 'HistoryRuntimeOptions',
      period,
      dateRange:
        days === undefined
          ? { '@type': 'IntervalDateRange', startDate, endDate }
          : { '@type': 'DurationDateRange', days },
      ...(currency !== undefined && { historyPriceCurrency: currency }),
    },
  };
}

function contained(securities: Securities): readonly Body[] {
  return securitiesOf(securities).map(({ id, overrides, type = 'TICKER' }) => ({
    '@type': 'Identifier',
    identifierType: type,
    identifierValue: id,
    ...(overrides.length > 0 && {
      fieldOverrides: overrides.map(({ mnemonic, value }) => ({
        '@type': 'FieldOverride',
        mnemonic,
        override: value,
      })),
    }),
  }));
}

function mnemonics(fields: readonly string[]): readonly Body[] {
  return fields.map((mnemonic) => ({ mnemonic }));
}

/** Bloomberg wants a title for people; who gives none gets the identifier. */
function named(identifier: string, title: string = identifier): Body {
  return { identifier, title };
}

const FIELD_LISTS: { readonly [type in RequestConfig['type']]: string } = {
  DataRequest: 'DataFieldList',
  HistoryRequest: 'HistoryFieldList',
  // Never asked for: checkConfig refuses fields of an ActionsRequest.
  ActionsRequest: 'DataFieldList',
  BvalSnapshotRequest: 'BvalSnapshotFieldList',
};

const PRICING_SOURCES: { readonly [type in RequestConfig['type']]: string } = {
  DataRequest: 'DataPricingSourceOptions',
  HistoryRequest: 'HistoryPricingSourceOptions',
  // Never asked for: checkConfig refuses a pricing source of these.
  ActionsRequest: 'DataPricingSourceOptions',
  BvalSnapshotRequest: 'DataPricingSourceOptions',
};

const MEDIA_TYPES = {
  csv: { outputMediaType: 'text/csv' },
  json: { outputMediaType: 'application/json' },
} as const;

const FRAME = { dateFormat: 'yyyymmdd', fileType: 'unixFileType' } as const;
const DATA_FRAME = {
  '@type': 'DataFormat',
  ...FRAME,
  columnHeader: false,
  delimiter: '|',
  outputFormat: 'variableOutputFormat',
};
const FRAMES: { readonly [type in RequestConfig['type']]: Body } = {
  DataRequest: DATA_FRAME,
  BvalSnapshotRequest: DATA_FRAME,
  HistoryRequest: { '@type': 'HistoryFormat', ...FRAME },
  ActionsRequest: { '@type': 'ActionsFormat', ...FRAME },
};
