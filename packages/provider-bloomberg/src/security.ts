import type { Securities } from './config-schema.ts';

/** One security that is asked about. */
export interface Security {
  readonly id: string;
  /** `TICKER`, `ISIN`, …; undefined is a ticker. */
  readonly type: string | undefined;
  readonly overrides: readonly Override[];
}

export interface Override {
  readonly mnemonic: string;
  readonly value: string;
}

/** `IBM US Equity`, `US912810TM09|ISIN`, or the longer form. */
export function securitiesOf(configured: Securities): readonly Security[] {
  return configured.map((one) => {
    if (typeof one !== 'string')
      return { id: one.id, type: one.type, overrides: (one.overrides ?? []).map(overrideOf) };
    const bar = one.lastIndexOf('|');
    return bar < 0
      ? { id: one, type: undefined, overrides: [] }
      : { id: one.slice(0, bar), type: one.slice(bar + 1), overrides: [] };
  });
}

function overrideOf(text: string): Override {
  const equals = text.indexOf('=');
  return { mnemonic: text.slice(0, equals), value: text.slice(equals + 1) };
}
