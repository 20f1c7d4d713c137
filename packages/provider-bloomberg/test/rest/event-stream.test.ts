import { expect, test } from 'vitest';
import { eventsIn, type ServerEvent, type StreamMemory } from '../../src/rest/event-stream.ts';

const STREAM =
  ': hello\nevent: ContentDelivered\nid: 7\ndata: {"key":"é"}\n\ndata:\n\nretry: 1500\ndata: a\ndata:  b\n\nid: 8\n\ndata: unfinished';

test.each(['\n', '\r\n', '\r'])(
  'events are the same with lines that end in %j',
  async (lineEnd) => {
    for (let size = 1; size <= 17; size++) {
      const { events, memory } = await read(STREAM.replaceAll('\n', lineEnd), size);
      expect(events).toEqual([
        { name: 'ContentDelivered', data: '{"key":"é"}' },
        { name: 'message', data: 'a\n b' },
      ]);
      expect(memory).toEqual({ lastEventId: '8', retryMs: 1500 });
    }
  },
);

test('a byte order mark is not part of the first line', async () => {
  expect((await read('\uFEFFdata: a\n\n')).events).toEqual([{ name: 'message', data: 'a' }]);
});

test('an event that was cut off is not one, and its id is not taken', async () => {
  const { events, memory } = await read('id: 1\ndata: a\n\nid: 2\ndata: b\n');
  expect(events).toHaveLength(1);
  expect(memory.lastEventId).toBe('1');
});

test('what the standard ignores is ignored', async () => {
  const { events, memory } = await read(
    'id: a\0b\nretry: soon\nunknown: x\ndata: ok\n\nevent: x\n\n',
  );
  expect(events).toEqual([{ name: 'message', data: 'ok' }]);
  expect(memory).toEqual({ lastEventId: '', retryMs: 3000 });
});

test.each(['data: ', 'x'])('an event without an end is given up (%s)', async (text) => {
  const endless = (async function* () {
    for (let i = 0; i < 40; i++) yield Buffer.from(`${text}${'y'.repeat(65_536)}`);
  })();
  const memory = { lastEventId: '', retryMs: 0 };
  await expect(Array.fromAsync(eventsIn(endless, memory))).rejects.toMatchObject({
    type: 'provider_down',
    code: 'ENDLESS_EVENT',
  });
});

async function read(text: string, size = 1000) {
  const memory: StreamMemory = { lastEventId: '', retryMs: 3000 };
  const events: ServerEvent[] = await Array.fromAsync(eventsIn(pieces(text, size), memory));
  return { events, memory };
}

async function* pieces(text: string, size: number): AsyncGenerator<Uint8Array> {
  const bytes = Buffer.from(text);
  for (let i = 0; i < bytes.length; i += size) yield bytes.subarray(i, i + size);
}
