import type { AuditActor } from './audit-trail.ts';

const KINDS: readonly AuditActor['kind'][] = [
  'operator',
  'key',
  'client',
  'host',
  'plugin',
  'anonymous',
];

/** Who asked, as runs spell it: `key:7f3a`, `client:billing`, `operator:ada`, `host`. Whatever else is anonymous. */
export function actorNamed(by: string): AuditActor {
  const [, word = '', id = ''] = /^([a-z]+)(?::(.*))?$/s.exec(by) ?? [];
  const kind = KINDS.find((one) => one === word);
  return kind === undefined ? { kind: 'anonymous', id: by } : { kind, id: id === '' ? word : id };
}
