import { SFTP_STATUS } from '@octo/plugin-testing';
import { expect, test } from 'vitest';
import { OpenFiles } from '../src/open-files.ts';
import { allOf, connected, failureOf, never, started } from './loopback.ts';

const names = Array.from({ length: 20 }, (_, n) => `/file-${n}`);

test('a server that takes few open files gets few, and every file arrives', async () => {
  const server = await started();
  let refusals = 0;
  server.faults.refuse = ({ name }) => {
    if (name !== 'OPEN' || server.counts.openHandles < 3) return undefined;
    refusals++;
    return SFTP_STATUS.failure;
  };
  for (const name of names) server.tree.file(name, `content of ${name}`);
  const session = await connected(server);
  const read = async (): Promise<string[]> =>
    await Promise.all(
      names.map(async (name) =>
        (await allOf(session.read(name, { size: textOf(name).length }, never))).toString(),
      ),
    );
  expect(await read()).toEqual(names.map(textOf));
  expect(refusals).toBeGreaterThan(0);
  expect(server.counts.openHandles).toBeLessThanOrEqual(3);
  // What the server has taught stays.
  const learnt = refusals;
  expect(await read()).toEqual(names.map(textOf));
  expect(refusals - learnt).toBeLessThan(learnt);
});

function textOf(name: string): string {
  return `content of ${name}`;
}

test('a file that cannot be opened alone, either, fails, and the others do not suffer', async () => {
  const server = await started({
    faults: {
      refuse: ({ name, path }) =>
        name === 'OPEN' && path === '/file-7' ? SFTP_STATUS.failure : undefined,
    },
  });
  for (const name of names) server.tree.file(name, textOf(name));
  const session = await connected(server);
  const reading = names.map((name) => allOf(session.read(name, {}, never)));
  const error = await failureOf(reading[7]!);
  expect(error).toMatchObject({ type: 'provider_down', code: 'SFTP_FAILURE' });
  const others = await Promise.all(reading.filter((_, n) => n !== 7));
  expect(others.map(String)).toEqual(names.filter((_, n) => n !== 7).map(textOf));
});

test('who waits for his turn to open a file can be stopped', async () => {
  const files = new OpenFiles();
  await files.take(never);
  const second = await files.take(never);
  files.giveBack();
  expect(files.lower(second)).toBe(true);
  const abort = new AbortController();
  const waiting = files.take(abort.signal);
  abort.abort(new Error('enough'));
  await expect(waiting).rejects.toThrow('enough');
  const next = files.take(never);
  files.giveBack();
  expect(await next).toBe(1);
  expect(files.lower(1)).toBe(false);
  expect(await files.take(never)).toBe(2);
});
