/** What the configuration asks for, in the words of the REST API. */
import type { BloombergConfig, RequestConfig, Securities } from '../config-schema.ts';
import { securitiesOf } from '../security.ts';

export type Body = { readonly [name: string]: unknown };

type Universe = NonNullable<BloombergConfig['universes']>[number];
type FieldList = NonNullable<BloombergConfig['fieldLists']>[number];
type Trigger = NonNullable<BloombergConfig['triggers']>[number];
type Schedule = Pick<Trigger, 'frequency' | 'startDate' | 'startTime'>;

export function universeBody({ identifier, title, securities }: Universe): Body {
  return { '@type': 'Universe', identifier, ...titled(title), contains: contained(securities) };
}

export function fieldListBody({ identifier, title, type, fields }: FieldList): Body {
  return { '@type': type, identifier, ...titled(title), contains: mnemonics(fields) };
}

export function triggerBody({ identifier, title, ...schedule }: Trigger): Body {
  return { identifier, ...titled(title), ...scheduled(schedule) };
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
    identifier,
    ...titled(request.title),
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
    formatting: FORMATS[format],
    ...(pricingSource !== undefined && {
      pricingSourceOptions: {
        '@type': 'DataPricingSourceOptions',
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
    startDate,
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

function titled(title: string | undefined): Body {
  return title === undefined ? {} : { title };
}

const FIELD_LISTS: { readonly [type in RequestConfig['type']]: string } = {
  DataRequest: 'DataFieldList',
  HistoryRequest: 'HistoryFieldList',
  // Never asked for: checkConfig refuses fields of an ActionsRequest.
  ActionsRequest: 'DataFieldList',
  BvalSnapshotRequest: 'BvalSnapshotFieldList',
};

const FORMATS: { readonly [format in RequestConfig['format']]: Body } = {
  csv: { '@type': 'MediaType', outputMediaType: 'text/csv' },
  json: { '@type': 'MediaType', outputMediaType: 'application/json' },
  bbg: {
    '@type': 'DataFormat',
    columnHeader: true,
    dateFormat: 'yyyymmdd',
    delimiter: '|',
    fileType: 'unixFileType',
    outputFormat: 'variableOutputFormat',
  },
};
