import { PluginError } from '@octo/plugin-api';
import { expect, test } from 'vitest';
import { createLogger, type LoggerOptions } from '../../src/observe/logger.ts';

function logged(
  write: (log: ReturnType<typeof createLogger>) => void,
  options: Partial<LoggerOptions> = {},
): Record<string, unknown>[] {
  const lines: string[] = [];
  const destination = { write: (line: string) => void lines.push(line) };
  const redact = (text: string) => text.replaceAll('hunter2', '[secret]');
  write(createLogger({ env: {}, redact, destination, ...options }));
  return lines.map((line) => JSON.parse(line) as Record<string, unknown>);
}

test('a line has a time, a level, a message and its fields', () => {
  const [line] = logged((log) => log.info({ files: 3, size: 10n }, 'listed'));
  expect(line).toEqual({
    time: expect.stringMatching(/^20\d\d-.*Z$/) as string,
    level: 'info',
    message: 'listed',
    files: 3,
    size: '10',
  });
});

test('a secret is hidden at any depth, in keys, lists and messages', () => {
  const lines = logged((log) => log.warn({ a: { b: [{ hunter2: 'hunter2' }] } }, 'is hunter2'));
  expect(lines).toMatchObject([{ message: 'is [secret]', a: { b: [{ '[secret]': '[secret]' }] } }]);
});

test('an error is its name, code, type and message, three causes deep, and nothing else', () => {
  const deep = new Error('1', {
    cause: new Error('2', { cause: new Error('3', { cause: 'never' }) }),
  });
  const err = new PluginError('auth', 'refused\u001b[2J hunter2', { code: 'DENIED', cause: deep });
  Object.assign(err, { config: { headers: { authorization: 'hunter2' } } });
  const [line] = logged((log) => log.error({ err }, 'failed'));
  expect(line?.err).toEqual({
    name: 'PluginError',
    code: 'DENIED',
    type: 'auth',
    message: 'refused\\x1b[2J [secret]',
    cause: { name: 'Error', message: '1', cause: { name: 'Error', message: '2' } },
  });
});

test('nothing that a plugin logs can break the log', () => {
  const loop: Record<string, unknown> = { bytes: new Uint8Array(3), when: new Date(Number.NaN) };
  loop.self = loop;
  const bomb = {
    get boom() {
      throw new Error('bomb');
    },
  };
  const proxy = new Proxy(
    {},
    {
      ownKeys: () => {
        throw new Error('bomb');
      },
    },
  );
  const lines = logged((log) => {
    log.info({ loop, bomb, proxy, many: Array.from({ length: 1000 }), fn: () => 1 }, 'odd');
    log.info(proxy, 'odder');
    log.info(undefined as never, 'oddest');
  });
  expect(lines).toHaveLength(3);
  expect(lines[0]).toMatchObject({
    loop: { bytes: '[3 bytes]', when: '[date]' },
    bomb: { boom: '[unreadable]' },
    proxy: '[unreadable]',
    fn: '[function]',
  });
  expect(lines[0]?.many).toHaveLength(100);
});

test.each([
  [{}, undefined, ['info']],
  [{ OCTO_LOG: 'debug' }, undefined, ['debug', 'info']],
  [{ OCTO_LOG_LEVEL: 'DEBUG', OCTO_LOG: 'json' }, undefined, ['debug', 'info']],
  [{ OCTO_LOG: 'loud' }, undefined, ['info']],
  [{}, 'error' as const, []],
  [{ OCTO_LOG: 'debug', LOG_SILENT: '1' }, undefined, []],
])('what is written is chosen by %j and %s', (env, level, written) => {
  const lines = logged(
    (log) => {
      log.debug({}, 'd');
      log.info({}, 'i');
    },
    { env, ...(level === undefined ? {} : { level }) },
  );
  expect(lines.map((line) => line.level)).toEqual(written);
});
