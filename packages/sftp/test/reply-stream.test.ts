import { expect, test } from 'vitest';
import { ReplyStream } from '../src/reply-stream.ts';

test.for([1, 2, 4, 5, 8, 12, 13, 14, 40, 1000])(
  'answers and other packets are told apart in pieces of %i bytes',
  (pieceBytes) => {
    const seen = split(pieceBytes, [
      status(3),
      data(7, 'first'),
      status(4),
      data(8, ''),
      data(9, 'x'),
    ]);
    expect(seen.answers).toEqual(['7: first', '8: ', '9: x']);
    expect(seen.others).toEqual(Buffer.concat([status(3), status(4)]));
  },
);

test('an answer that nobody waits for, or that is longer than it says, is left to ssh2', () => {
  const unknown = data(10, 'whose');
  const lying = data(7, 'first');
  lying.writeUInt32BE(4, 9);
  const tiny = Buffer.from([0, 0, 0, 1, 103]);
  const seen = split(1000, [unknown, lying, tiny, data(8, 'good')]);
  expect(seen.answers).toEqual(['8: good']);
  expect(seen.others).toEqual(Buffer.concat([unknown, lying, tiny]));
});

test('a large answer gives signs of life while it comes', () => {
  expect(split(4, [data(7, 'piece by piece')]).arrived).toEqual([3, 4, 4, 3]);
});

interface Seen {
  readonly answers: string[];
  readonly arrived: number[];
  readonly others: Buffer;
}

/** Sends the packets in pieces to a stream in which the reads 7, 8 and 9 wait. */
function split(pieceBytes: number, packets: readonly Buffer[]): Seen {
  const answers: string[] = [];
  const arrived: number[] = [];
  const others: Buffer[] = [];
  const stream = new ReplyStream({
    take(id) {
      if (id < 7 || id > 9) return undefined;
      const into = Buffer.alloc(64);
      return {
        into,
        arrived: (bytes) => arrived.push(bytes),
        done: (bytes) => answers.push(`${id}: ${into.toString('utf8', 0, bytes)}`),
      };
    },
    pass: (bytes) => others.push(bytes),
  });
  const all = Buffer.concat(packets);
  for (let at = 0; at < all.length; at += pieceBytes)
    stream.push(all.subarray(at, at + pieceBytes));
  return { answers, arrived, others: Buffer.concat(others) };
}

function data(id: number, content: string): Buffer {
  const packet = Buffer.alloc(13 + content.length);
  packet.writeUInt32BE(packet.length - 4, 0);
  packet[4] = 103;
  packet.writeUInt32BE(id, 5);
  packet.writeUInt32BE(content.length, 9);
  packet.write(content, 13);
  return packet;
}

/** SSH_FXP_STATUS without a message. */
function status(id: number): Buffer {
  const packet = Buffer.alloc(13);
  packet.writeUInt32BE(9, 0);
  packet[4] = 101;
  packet.writeUInt32BE(id, 5);
  return packet;
}
