import { escapeText } from '../observe/escape-text.ts';
import type { Narrowing } from '../pipeline/run-pipeline.ts';
import { stringOption, type Args, type OptionSpec } from './command.ts';
import { UsageError } from './usage-error.ts';

/** The options that {@link narrowingOf} reads. */
export const narrowingOptions = {
  since: {
    type: 'string',
    value: 'TIME',
    summary:
      'only files that the vendor changed at or after this time (2026-01-15, or with T03:45Z)',
  },
  path: {
    type: 'string',
    value: 'PATTERN',
    summary: 'only files whose path matches; * matches anything: "in/2026-01-*"',
  },
} as const satisfies Record<string, OptionSpec>;

/** `--since` and `--path`. A time without a zone is UTC. @throws UsageError for a time that is none */
export function narrowingOf(args: Args): Narrowing {
  const since = stringOption(args, 'since');
  const path = stringOption(args, 'path');
  return {
    ...(since !== undefined && { since: sinceOf(since) }),
    ...(path !== undefined && { path }),
  };
}

/** A day or a time of `--since`, UTC unless a zone stands in it, in milliseconds. @throws UsageError for one that is none */
export function sinceOf(text: string): number {
  const match = /^\d{4}-\d{2}-\d{2}(T\d{2}:\d{2}(:\d{2}(\.\d{1,3})?)?(Z|[+-]\d{2}:\d{2})?)?$/.exec(
    text,
  );
  const [, time, , , zone] = match ?? [];
  const ms =
    match === null
      ? Number.NaN
      : Date.parse(time !== undefined && zone === undefined ? `${text}Z` : text);
  if (!Number.isNaN(ms)) return ms;
  throw new UsageError(
    `--since wants a day or a time, such as 2026-01-15 or 2026-01-15T03:45Z, not '${escapeText(text)}'`,
  );
}
