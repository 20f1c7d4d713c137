import { OctoError } from '../errors/octo-error.ts';

/** What a caller may do. `admin` stands for all of it. */
export const ACTIONS = [
  'pipelines:read',
  'runs:read',
  'runs:write',
  'files:read',
  'files:write',
  'plugins:read',
  'manifest:read',
  'manifest:apply',
  'audit:read',
  'metrics:read',
  'admin',
] as const;
export type Action = (typeof ACTIONS)[number];

/** One scope: an action, for every pipeline or for those that match. Written `runs:write` or `runs:write:affirm-*`. */
export interface Scope {
  readonly action: Action;
  /** A pipeline's id; a `*` at its end stands for any rest. Absent: every pipeline. */
  readonly pipelines?: string;
}

/** Actions that are about one pipeline each; the others have no pipeline to narrow them to. */
const NARROWED: readonly Action[] = [
  'pipelines:read',
  'runs:read',
  'runs:write',
  'files:read',
  'files:write',
  'plugins:read',
];
const PATTERN = /^[a-z0-9][a-z0-9_-]{0,62}\*?$/;

/** @throws OctoError `OCTO_SCOPE_INVALID` */
export function parseScope(text: string): Scope {
  const [resource = '', verb, pipelines, ...more] = text.split(':');
  const action = ACTIONS.find(
    (one) => one === (verb === undefined ? resource : `${resource}:${verb}`),
  );
  if (action === undefined || more.length > 0)
    throw invalid(text, `is not known; there are ${ACTIONS.join(', ')}`);
  if (pipelines === undefined) return { action };
  if (!NARROWED.includes(action)) throw invalid(text, `cannot be narrowed; write '${action}'`);
  if (!PATTERN.test(pipelines))
    throw invalid(text, `names no pipeline; write '${action}:my-pipeline' or '${action}:my-*'`);
  return { action, pipelines };
}

/** @throws OctoError `OCTO_SCOPE_INVALID` for the first that is not right */
export function parseScopes(texts: Iterable<string>): readonly Scope[] {
  return Array.from(texts, parseScope);
}

/** As {@link parseScopes}, but leaves out what is not ours: tokens of others carry other scopes, too. */
export function knownScopes(texts: Iterable<string>): readonly Scope[] {
  return [...texts].flatMap((text) => {
    try {
      return [parseScope(text)];
    } catch {
      return [];
    }
  });
}

export function scopeText({ action, pipelines }: Scope): string {
  return pipelines === undefined ? action : `${action}:${pipelines}`;
}

/** For which pipelines an action is allowed: all, or those that match one of the patterns (none when there is none). */
export type Reach = 'all' | readonly string[];

export function reachOf(scopes: readonly Scope[], action: Action): Reach {
  const matching = scopes.filter((scope) => scope.action === action || scope.action === 'admin');
  const patterns = matching.map(({ pipelines }) => pipelines);
  if (patterns.includes(undefined)) return 'all';
  return patterns.filter((pattern) => pattern !== undefined);
}

export function reaches(reach: Reach, pipeline: string): boolean {
  return reach === 'all' || reach.some((pattern) => matches(pattern, pipeline));
}

/** The scopes of `asked` that lie within `granted`: nobody gets more by asking. */
export function withinScopes(asked: readonly Scope[], granted: readonly Scope[]): readonly Scope[] {
  return asked.filter((scope) => {
    const reach = reachOf(granted, scope.action);
    if (reach === 'all' || scope.pipelines === undefined) return reach === 'all';
    return reach.some((pattern) => includes(pattern, scope.pipelines!));
  });
}

function matches(pattern: string, id: string): boolean {
  return pattern.endsWith('*') ? id.startsWith(pattern.slice(0, -1)) : id === pattern;
}

/** Whether all that `narrow` matches is matched by `wide`. */
function includes(wide: string, narrow: string): boolean {
  return wide === narrow || (wide.endsWith('*') && narrow.startsWith(wide.slice(0, -1)));
}

function invalid(text: string, problem: string): OctoError {
  const shown = /^[\w:*-]{1,80}$/.test(text) ? text : 'of the request';
  return new OctoError('OCTO_SCOPE_INVALID', `the scope '${shown}' ${problem}`);
}
