/** Logs for tests: in a folder of their own, or in memory. */
import { Secret } from '../../src/observe/secret.ts';
import { randomBytes } from 'node:crypto';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { onTestFinished } from 'vitest';
import { AuditLog, type AuditLogOptions } from '../../src/audit/audit-log.ts';
import type { AuditEntry, AuditTrail } from '../../src/audit/audit-trail.ts';
import { systemClock } from '../../src/host/system-clock.ts';
import { segmentsOf } from '../../src/audit/segments.ts';

export const key: Buffer = randomBytes(32);

export function entry(action: string, details: AuditEntry['details'] = {}): AuditEntry {
  return { action, actor: { kind: 'host', id: 'host' }, outcome: 'done', details };
}

export async function folderOfTest(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'octo-audit-'));
  onTestFinished(() => rm(folder, { recursive: true, force: true }));
  return folder;
}

export async function openLog(
  folder: string,
  options: Partial<AuditLogOptions> = {},
): Promise<AuditLog> {
  return await AuditLog.open({
    folder,
    key: new Secret(key),
    clock: systemClock,
    clean: (one) => one,
    ...options,
  });
}

/** Every file of a log: name and content. */
export async function filesOf(folder: string): Promise<Map<string, Buffer>> {
  const names = await segmentsOf(folder);
  return new Map(
    await Promise.all(
      names.map(async (name) => [name, await readFile(join(folder, name))] as const),
    ),
  );
}

/** A trail that keeps what it is told, and can be made to fail. */
export class MemoryTrail implements AuditTrail {
  readonly entries: AuditEntry[] = [];
  /** Says what cannot be written; nothing is kept then. */
  failure: ((entry: AuditEntry) => Error | undefined) | undefined;

  async record(one: AuditEntry): Promise<void> {
    const failure = this.failure?.(one);
    if (failure !== undefined) throw failure;
    this.entries.push(one);
  }

  async [Symbol.asyncDispose](): Promise<void> {}

  actions(): string[] {
    return this.entries.map(({ action, outcome }) =>
      outcome === 'done' ? action : `${action} ${outcome}`,
    );
  }
}
