import { Duplex, PassThrough } from 'node:stream';
import { PluginError } from '@octo/plugin-api';
import { describe, expect, test } from 'vitest';
import { OctoError } from '../../src/errors/octo-error.ts';
import { FencedOut } from '../../src/ledger/fenced-out.ts';
import { type Answer, Channel, ChannelEnded } from '../../src/wire/channel.ts';
import { Frames } from '../../src/wire/frames.ts';
import { receivedError, sendError, sentError } from '../../src/wire/sent-error.ts';
import {
  anything,
  bytes,
  count,
  fields,
  list,
  optional,
  record,
  text,
} from '../../src/wire/shape.ts';
import { fromJson, toJson } from '../../src/wire/wire-value.ts';

const across = (value: unknown): unknown => fromJson(JSON.parse(JSON.stringify(toJson(value))));

describe('a value on the wire', () => {
  test.each([
    ['plain data', { a: [1, 'two', null, true, { b: -0.5 }] }],
    ['a large whole number', { attempt: 12345678901234567890n }],
    ['bytes', Buffer.from([0, 255, 10])],
    ['a moment', new Date(1_768_435_200_000)],
    ['a set and a map', { seen: new Set(['x', 'y']), by: new Map([['k', { v: 1n }]]) }],
    ['numbers that JSON does not have', [Infinity, -Infinity]],
    ['an object that looks like a mark', { $: 'bytes', value: 'no bytes' }],
  ])('%s arrives as it was', (_, value) => {
    expect(across(value)).toEqual(value);
  });

  test('loses what is undefined', () => {
    expect(across({ a: undefined, b: 1 })).toEqual({ b: 1 });
  });

  test.each([
    ['a function', { f: () => {} }],
    ['a symbol', [Symbol('x')]],
    ['a circle', circle()],
  ])('is not sent: %s', (_, value) => {
    expect(() => toJson(value)).toThrow(TypeError);
  });

  test.each([
    ['a prototype', '{"a":{"__proto__":{"admin":true}}}'],
    ['an unknown mark', '{"$":"code","value":"x"}'],
    ['a number that is none', '{"$":"bigint","value":"1e9"}'],
    ['a map without pairs', '{"$":"map","value":[1]}'],
    ['endless depth', '['.repeat(200) + ']'.repeat(200)],
  ])('is not taken: %s', (_, json) => {
    expect(() => fromJson(JSON.parse(json))).toThrow(
      expect.objectContaining({ name: 'WireError' }),
    );
  });
});

function circle(): object {
  const one: Record<string, unknown> = {};
  one['self'] = one;
  return one;
}

describe('frames', () => {
  const maxBytes = 1000;

  test.each([1, 3, 7, 10_000])(
    'are told apart when the stream comes in pieces of %i bytes',
    async (size) => {
      const written = new PassThrough();
      const frames = new Frames(written, maxBytes);
      for (let n = 0; n < 20; n++) frames.write({ n, text: 'é'.repeat(n) });
      frames.end();
      const all = Buffer.concat(await written.toArray());
      const pieces = new PassThrough();
      for (let at = 0; at < all.length; at += size) pieces.write(all.subarray(at, at + size));
      pieces.end();
      const read = await Array.fromAsync(new Frames(pieces, maxBytes).read());
      expect(read).toEqual(Array.from({ length: 20 }, (_, n) => ({ n, text: 'é'.repeat(n) })));
    },
  );

  test('that are too long are refused before they are read', async () => {
    const stream = new PassThrough();
    stream.write(Buffer.from([0, 0, 16, 0]));
    await expect(Array.fromAsync(new Frames(stream, maxBytes).read())).rejects.toThrow(
      'a message has 4096 bytes; 1000 are the most',
    );
  });

  test('that are no JSON are refused', async () => {
    const stream = new PassThrough();
    stream.end(Buffer.from([0, 0, 0, 1, 123]));
    await expect(Array.fromAsync(new Frames(stream, maxBytes).read())).rejects.toThrow(
      'is not JSON',
    );
  });
});

describe('a shape', () => {
  const shape = fields({ id: text, size: count, note: optional(text), raw: optional(bytes) });
  test('lets through what has its form', () => {
    expect(shape({ id: 'a', size: 3, raw: Buffer.from('x') }, 'x')).toEqual({
      id: 'a',
      size: 3,
      raw: Buffer.from('x'),
    });
  });

  test.each([
    [{ id: 'a', size: 1, more: 1 }, `x must be without 'more'`],
    [{ id: 'a', size: -1 }, 'x/size must be a whole number'],
    [{ id: 'a', size: 1.5 }, 'x/size must be a whole number'],
    [{ id: 1, size: 1 }, 'x/id must be a text of bounded length'],
    [{ id: 'a'.repeat(100_000), size: 1 }, 'x/id must be a text of bounded length'],
    [{ id: 'a', size: 1, raw: 'text' }, 'x/raw must be bytes'],
    [[], 'x must be an object'],
    [null, 'x must be an object'],
  ])('refuses %j', (value, message) => {
    expect(() => shape(value, 'x')).toThrow(message);
  });

  test('bounds lists and records', () => {
    expect(() => list(text, 2)(['a', 'b', 'c'], 'x')).toThrow('x must be a list of at most 2');
    expect(() => record(anything, 1)({ a: 1, b: 2 }, 'x')).toThrow(
      'x must be an object of at most 1',
    );
  });
});

describe('an error on the wire', () => {
  const back = (error: unknown): Error =>
    receivedError(sentError(across(sendError(error)), 'error'));

  test('keeps what decides about it', () => {
    const plugin = new PluginError('rate_limit', 'slow down', { retryAfterMs: 500, code: 'X' });
    expect(back(plugin)).toMatchObject({
      type: 'rate_limit',
      code: 'X',
      message: 'slow down',
      retryAfterMs: 500,
    });
    const octo = new OctoError('OCTO_SINK_BUSY', 'busy', { cause: plugin });
    expect(back(octo)).toMatchObject({ code: 'OCTO_SINK_BUSY', cause: { type: 'rate_limit' } });
    expect(back(new FencedOut('id', 7n))).toEqual(new FencedOut('id', 7n));
    const system = Object.assign(new Error('ENOSPC: full'), { code: 'ENOSPC', syscall: 'write' });
    expect(back(system)).toMatchObject({ code: 'ENOSPC', syscall: 'write' });
  });

  test.each([42, undefined, null, 'text', Object.create(null)])('may be anything: %s', (thrown) => {
    expect(back(thrown)).toBeInstanceOf(Error);
  });
});

/** Two ends of one line. */
function line(answers: Readonly<Record<string, Answer>>) {
  const [there, back] = [new PassThrough(), new PassThrough()];
  const end = (readable: PassThrough, writable: PassThrough) =>
    // The types know only pairs of web streams.
    new Frames(Duplex.from({ readable, writable } as never), 100_000);
  const options = { mostAtOnce: 2, hears: {}, answers: {} };
  return {
    asker: new Channel(end(back, there), options),
    answerer: new Channel(end(there, back), { ...options, answers }),
    raw: there,
  };
}

describe('a channel', () => {
  test('carries answers and errors to the one who asked', async () => {
    const { asker } = line({
      double: async ([n]) => (n as number) * 2,
      fail: async () => {
        throw new PluginError('auth', 'no');
      },
    });
    expect(await Promise.all([asker.ask('double', [1]), asker.ask('double', [2])])).toEqual([2, 4]);
    await expect(asker.ask('fail', [])).rejects.toMatchObject({ type: 'auth', message: 'no' });
  });

  test('stops what was asked, with the reason', async () => {
    const stop = new AbortController();
    const { asker } = line({
      wait: async (_, signal) => {
        stop.abort(new PluginError('network', 'changed my mind'));
        await new Promise((_resolve, reject) => {
          signal.addEventListener('abort', () => reject(signal.reason as Error));
        });
      },
    });
    await expect(asker.ask('wait', [], stop.signal)).rejects.toThrow('changed my mind');
  });

  test('answers no more at a time than it may', async () => {
    let now = 0;
    let most = 0;
    const { asker } = line({
      work: async () => {
        most = Math.max(most, ++now);
        await new Promise((resolve) => setImmediate(resolve));
        now -= 1;
      },
    });
    await Promise.all(Array.from({ length: 10 }, () => asker.ask('work', [])));
    expect(most).toBe(2);
  });

  test('that hears what it does not know is at its end, and says so', async () => {
    const { asker, answerer } = line({});
    const asked = asker.ask('anything', []);
    await expect(answerer.ended).rejects.toThrow(`'anything' is not known here`);
    answerer.end();
    await expect(asked).rejects.toBeInstanceOf(ChannelEnded);
  });
});
