import { AuditLog } from '../../src/audit/audit-log.ts';
import { Secret } from '../../src/observe/secret.ts';
import { systemClock } from '../../src/host/system-clock.ts';

const [, , folder, hex] = process.argv as [string, string, string, string];
const key = Buffer.from(hex, 'hex');
const log = await AuditLog.open({
  folder,
  key: new Secret(key),
  clock: systemClock,
  clean: (one) => one,
});
const entry = {
  action: 'file.deliver',
  actor: { kind: 'host', id: 'host' },
  outcome: 'done',
  details: { pid: process.pid },
} as const;
for (let promised = 1; ; promised++) {
  await log.record(entry);
  process.stdout.write(`${promised}\n`);
}
