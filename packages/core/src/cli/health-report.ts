import type { Kind } from '@octo/plugin-api';
import type { Health } from '../host/health.ts';
import { escapeText } from '../observe/escape-text.ts';
import type { ShownBreaker } from '../policy/shown-breaker.ts';
import { exitCodes } from './exit-code.ts';
import type { Meaning, Paint } from './paint.ts';
import { table } from './table.ts';

/** One instance of `octo-host health`. */
export interface Examined {
  readonly id: string;
  /** Unknown of one that is held. */
  readonly kind: Kind | undefined;
  readonly health: Health | Held;
  /** Of one that is left alone just now, or tried. */
  readonly breaker?: ShownBreaker | undefined;
}

/** It was not even built: a secret that it needs cannot be read. */
interface Held {
  readonly state: 'held';
  /** Says what to do, too. */
  readonly reason: string;
}

const meanings: Readonly<Record<Examined['health']['state'], Meaning>> = {
  healthy: 'good',
  degraded: 'doubtful',
  down: 'bad',
  unknown: 'minor',
  held: 'bad',
};

/** The table, what to do under each instance that is down, and how many are how. */
export function healthLines(all: readonly Examined[], paint: Paint): string[] {
  const [head = '', ...rows] = table(
    ['state', 'plugin', 'kind', 'took', 'reason'],
    all.map(({ id, kind, health }) => [
      health.state,
      escapeText(id),
      kind ?? '–',
      'tookMs' in health ? `${Math.round(health.tookMs)} ms` : '–',
      reasonOf(health),
    ]),
  );
  const lines = all.flatMap(({ id, health, breaker }, index) => {
    const row = rows[index]?.slice(health.state.length) ?? '';
    const line = paint(meanings[health.state], health.state) + row;
    const remedy = health.state === 'down' ? [`  → ${health.remedy}`] : [];
    return [line, ...remedy, ...leftAlone(id, breaker)];
  });
  return [paint('strong', head), ...lines, '', inOneLine(all)];
}

function leftAlone(id: string, breaker: ShownBreaker | undefined): string[] {
  if (breaker === undefined || breaker.state === 'closed') return [];
  const { until, reason = '' } = breaker;
  const how = until === undefined ? 'one run tries it now' : `runs wait until ${until}`;
  return [`  → ${how} (${escapeText(reason)}); octo-host plugins reset ${id} ends the waiting`];
}

function reasonOf(health: Examined['health']): string {
  if (health.state === 'healthy') return '';
  const reason = escapeText(health.reason);
  return health.state === 'down' ? `${health.type}: ${reason}` : reason;
}

function inOneLine(all: readonly Examined[]): string {
  const counts = (['down', 'held', 'degraded'] as const).flatMap((state) => {
    const count = all.filter(({ health }) => health.state === state).length;
    return count === 0 ? [] : [`${count} ${state}`];
  });
  return counts.join(', ') || 'all well';
}

/** The document that `--json` prints. Programs read it: names are only ever added. `error` when nothing could be asked. */
export function healthJson(all: readonly Examined[], error?: string): string {
  return JSON.stringify({
    ok: error === undefined && exitCodeOfHealth(all) === exitCodes.allWell,
    instances: all.map(({ id, kind, health, breaker }) => ({
      id,
      kind: kind ?? null,
      state: health.state,
      tookMs: 'tookMs' in health ? Math.round(health.tookMs) : null,
      type: health.state === 'down' ? health.type : null,
      code: health.state === 'down' ? (health.code ?? null) : null,
      reason: 'reason' in health ? health.reason : null,
      remedy: health.state === 'down' ? health.remedy : null,
      breaker: breaker ?? null,
    })),
    ...(error === undefined ? {} : { error }),
  });
}

/** 3 when something is down or held, else 0: what is slow works, and what cannot be told is no alarm. */
export function exitCodeOfHealth(all: readonly Examined[]): number {
  const isDown = all.some(({ health }) => health.state === 'down' || health.state === 'held');
  return isDown ? exitCodes.unreachable : exitCodes.allWell;
}
