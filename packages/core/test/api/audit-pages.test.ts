import { expect, test } from 'vitest';
import { AuditPages } from '../../src/api/audit-pages.ts';
import { entry, folderOfTest, openLog } from '../audit/log-bench.ts';

test('the audit log is read newest first, page by page, and filtered', async () => {
  const folder = await folderOfTest();
  {
    await using log = await openLog(folder);
    for (let i = 1; i <= 7; i++) await log.record(entry(i % 2 === 0 ? 'even' : 'odd', { i }));
    const actor = { kind: 'key', id: '7f3a' } as const;
    await log.record({ action: 'login', actor, outcome: 'denied' });
  }
  const pages = new AuditPages(folder);
  const seen: number[] = [];
  let cursor: string | undefined;
  for (let page = 0; page < 5; page++) {
    const { records, next } = await pages.read({ limit: 3, ...(cursor && { cursor }) });
    seen.push(...records.map(({ sequence }) => sequence));
    cursor = next;
    if (next === undefined) break;
  }
  expect(seen).toEqual([8, 7, 6, 5, 4, 3, 2, 1]);
  const even = await pages.read({ limit: 2, action: 'even' });
  expect(even.records.map(({ details }) => details?.['i'])).toEqual([6, 4]);
  const denied = await pages.read({ limit: 10, outcome: 'denied', actor: 'key:7f3a' });
  expect(denied).toMatchObject({ records: [{ action: 'login', sequence: 8 }] });
  expect(JSON.stringify(denied)).not.toContain('mac');
  expect((await pages.read({ limit: 10, until: 0 })).records).toEqual([]);
  await expect(pages.read({ limit: 10, cursor: 'x!' })).rejects.toMatchObject({
    code: 'OCTO_API_INVALID',
  });
});
