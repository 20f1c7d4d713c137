import { expect, test } from 'vitest';
import { PipelineBench } from './pipeline-bench.ts';

async function eventsOf(bench: PipelineBench): Promise<string[]> {
  const [delivery] = await bench.ledger.list({ limit: 2 });
  return (await bench.ledger.history(delivery!.id)).map(({ event }) => event);
}

test('where a vendor has nothing to do after a delivery, it is CLEANED with its commit', async () => {
  await using bench = await PipelineBench.open();
  const connect = bench.vendor.connect.bind(bench.vendor);
  bench.vendor.connect = async () => {
    const session = await connect();
    delete session.done;
    return session;
  };
  bench.vendor.publish('a.csv', 'content');
  const told: string[] = [];
  const committed = bench.ledger.committed.bind(bench.ledger);
  bench.ledger.committed = async (claim, commit) => {
    await committed(claim, commit);
    told.push((await bench.ledger.find(claim.id))!.state);
  };
  bench.ledger.cleaned = async () => void told.push('cleaned apart');
  expect((await bench.run()).delivered).toHaveLength(1);
  expect(told).toEqual(['CLEANED']);
  expect((await eventsOf(bench)).slice(-2)).toEqual(['committed', 'cleaned']);
});

test('where it has, the delivery is CLEANED when that is done, and not before', async () => {
  await using bench = await PipelineBench.open();
  bench.vendor.afterCommit = 'move';
  bench.vendor.publish('a.csv', 'content');
  const told: string[] = [];
  const cleaned = bench.ledger.cleaned.bind(bench.ledger);
  bench.ledger.cleaned = async (id, location) => {
    told.push((await bench.ledger.find(id))!.state, location?.split('.')[0] ?? 'left');
    await cleaned(id, location);
  };
  await bench.run();
  expect(told).toEqual(['COMMITTED', 'archive/a']);
  expect((await eventsOf(bench)).slice(-2)).toEqual(['committed', 'cleaned']);
});
