import { createRequire } from 'node:module';
import { Socket } from 'node:net';
import { setImmediate as turn } from 'node:timers/promises';
import { expect, onTestFinished, test, vi } from 'vitest';
import { gatherRequests } from '../src/gather-requests.ts';
import { connected, never, started } from './loopback.ts';

test('requests of one turn go in one packet, in their order', async () => {
  const { channel, said } = gathering();
  for (const request of ['open ', 'read ', 'close']) channel.ask(request);
  expect(said).toEqual([]);
  await turn();
  channel.ask('stat');
  await turn();
  expect(said).toEqual(['3: open read close', '3: stat']);
});

test('a packet is no larger than the server takes', async () => {
  const { channel, said } = gathering(10);
  for (const request of ['12345', '67890', 'abcdefghij', 'k']) channel.ask(request);
  await turn();
  expect(said).toEqual(['3: 1234567890', '3: abcdefghij', '3: k']);
});

test('the end of a channel comes after what was asked before it', async () => {
  const { channel, said } = gathering();
  channel.ask('last words');
  channel._protocol.channelClose(3);
  await turn();
  expect(said).toEqual(['3: last words', 'close 3']);
});

test('what ssh2 keeps at its connection stays there', () => {
  const { channel, protocol } = gathering();
  channel._protocol.isRekeying = true;
  expect(protocol.isRekeying).toBe(true);
});

test('a library with another inside is left alone', () => {
  const strangers = [{}, { _protocol: {} }, { _protocol: { channelData: () => {} } }];
  for (const stranger of strangers) {
    const before = { ...stranger };
    gatherRequests(stranger as never, new Socket());
    expect(stranger).toEqual(before);
  }
});

test('the library is as expected: a hundred questions are a few packets', async () => {
  const server = await started();
  await using session = await connected(server);
  const packets = vi.spyOn(ssh2.prototype, 'channelData');
  onTestFinished(() => packets.mockRestore());
  await Promise.all(Array.from({ length: 100 }, (_, n) => session.stat(`/${n}`, never)));
  // The server answers each with one.
  const toServer = packets.mock.calls.filter(([, data]) => data[4] === STAT);
  expect(toServer.length).toBeGreaterThan(0);
  expect(toServer.length).toBeLessThan(10);
});

const STAT = 17;
const ssh2 = createRequire(import.meta.url)('ssh2/lib/protocol/Protocol.js') as {
  readonly prototype: { channelData: (channel: number, data: Buffer) => void };
};

function gathering(packetSize = 32_768) {
  const said: string[] = [];
  const protocol = {
    isRekeying: false,
    channelData: (channel: number, data: Buffer) =>
      void said.push(`${channel}: ${data.toString()}`),
    channelClose: (channel: number) => void said.push(`close ${channel}`),
  };
  const channel = {
    _protocol: protocol,
    outgoing: { packetSize },
    ask: (request: string) => channel._protocol.channelData(3, Buffer.from(request)),
  };
  gatherRequests(channel, new Socket());
  return { channel, said, protocol };
}
