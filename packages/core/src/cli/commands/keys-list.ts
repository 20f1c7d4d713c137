import { isAlive, type KeyRecord } from '../../auth/key-record.ts';
import { scopeText } from '../../auth/scope.ts';
import { escapeText } from '../../observe/escape-text.ts';
import { flag, type CommandCode } from '../command.ts';
import { exitCodes } from '../exit-code.ts';
import { formatTime } from '../format-time.ts';
import { keyJson } from '../key-json.ts';
import { keyStoreOf } from '../key-store-of.ts';
import { table } from '../table.ts';

/** `octo-host keys list`: the keys of the API, newest first, and when they were used. */
export const keysList: CommandCode = async (args, environment) => {
  const { stdout, clock } = environment;
  await using keys = await keyStoreOf(args, environment);
  const list = await keys.store.list();
  if (flag(args, 'json')) stdout.write(`${JSON.stringify({ keys: list.map(keyJson) })}\n`);
  else if (list.length === 0) stdout.write('no keys; octo-host keys create makes one\n');
  else stdout.write(`${lines(list, clock.now()).join('\n')}\n`);
  return exitCodes.allWell;
};

function lines(keys: readonly KeyRecord[], nowMs: number): string[] {
  const rows = keys.map((key) => [
    key.id,
    escapeText(key.name),
    stateOf(key, nowMs),
    timeText(key.expiresAt, 'never'),
    timeText(key.lastUsedAt, 'never'),
    key.scopes.map(scopeText).join(' '),
  ]);
  return table(['id', 'name', 'state', 'expires', 'last used', 'scopes'], rows);
}

function stateOf(key: KeyRecord, nowMs: number): string {
  if (isAlive(key, nowMs)) return 'good';
  return key.revokedAt === undefined ? 'expired' : 'revoked';
}

function timeText(ms: number | undefined, otherwise: string): string {
  return ms === undefined ? otherwise : formatTime(new Date(ms));
}
