import { expect, test } from 'vitest';
import { behaviours, hostileModule } from './hostile-plugins.ts';
import { openWorkshop, shelfModule, type OpenedHost } from './workshop.ts';

/** So many pipelines run at the same time: the machine is small. */
const AT_ONCE = 3;

const limits = {
  silentMs: 4000,
  lookMs: 50,
  loadMs: 3000,
  letGoMs: 3000,
  termMs: 500,
  mostIdle: 2,
  mostDeaths: 1,
  logLines: 100,
};

/** What people are told of a pipeline: by the run that fails, or by the log when there is none. */
async function toldBy({ run }: OpenedHost, pipeline: string): Promise<string> {
  return await run(pipeline).then(
    () => 'nothing: the run went well',
    (error: unknown) => (error as Error).message,
  );
}

test('beside hostile plugins of every kind a healthy pipeline delivers, and each is named with its reason', async () => {
  const workshop = await openWorkshop();
  const names = Object.keys(behaviours);
  const hostile = names.map((name, index) => ({ name, id: `hostile-${index}` }));
  for (const { name, id } of hostile)
    await workshop.file(`plugins/${id}/index.mjs`, hostileModule(behaviours[name]!));
  await workshop.file('plugins/shelf/index.mjs', shelfModule);
  const files = Object.fromEntries(
    Array.from({ length: 40 }, (_, n) => [`file-${n}.csv`, `row ${n}\n`]),
  );
  const use = (id: string) => `./plugins/${id}/index.mjs`;
  const patience = { policy: { timeoutMs: 1000, attempts: 1 } };
  const opened = await workshop.host(
    {
      plugins: {
        shelf: { use: use('shelf'), config: { files } },
        out: { use: '@octo/sink-fs', config: { directory: './out' } },
        ...Object.fromEntries(hostile.map(({ id }) => [id, { use: use(id), ...patience }])),
      },
      pipelines: {
        healthy: { from: 'shelf', to: 'out', key: '{name}', doubleRead: false },
        ...Object.fromEntries(
          hostile.map(({ id }) => [
            id,
            { from: id, to: 'out', key: `${id}/{name}`, limits: { maxMemory: '160MiB' } },
          ]),
        ),
      },
    },
    { defects: 'isolate', workers: limits },
  );
  const before = process.pid;
  const waiting = [...hostile];
  const reasons = new Map<string, string>();
  const next = async (): Promise<void> => {
    for (let one = waiting.shift(); one !== undefined; one = waiting.shift())
      reasons.set(one.name, await toldBy(opened, one.id));
  };
  const healthy = opened.run('healthy');
  await Promise.all(Array.from({ length: AT_ONCE }, next));
  expect((await healthy).delivered).toHaveLength(40);
  expect(await workshop.contents('out')).toEqual(files);
  const again = await opened.run('healthy');
  expect({ ...again, discovered: again.discovered }).toMatchObject({
    discovered: 40,
    delivered: [],
    failed: [],
  });
  expect(process.pid).toBe(before);
  const unnamed = names
    .filter((name) => !behaviours[name]!.told.test(reasons.get(name) ?? ''))
    .map((name) => [name, reasons.get(name)]);
  expect(unnamed).toEqual([]);
  const flood = workshop.logger.entries.filter(({ message }) => message === 'again');
  // Of 5000 lines: a hundred a second, for no longer than the run is waited for.
  expect(flood.length).toBeLessThan(1000);
}, 240_000);
