import { PluginError, type Decoding } from '@octo/plugin-api';
import { describe, expect, test } from 'vitest';
import { makeContext, makeStep, refusal, runStep, watchedSource } from './step-harness.ts';

const step = await makeStep('decode');

/** An envelope that only this vendor knows: every bit turned over. */
const turnOver: Decoding = async function* turnOver(bytes) {
  for await (const chunk of bytes) yield chunk.map((byte) => byte ^ 0xff);
};
const sealed = Buffer.from('START-OF-FILE\n').map((byte) => byte ^ 0xff);

describe('a file in an envelope of the vendor', () => {
  test('comes out as the provider opens it, under the same name', async () => {
    const { contents } = await runStep(step, sealed, { name: 'px.out', decoding: turnOver });
    expect(contents).toEqual([
      { name: 'px.out', member: undefined, bytes: Buffer.from('START-OF-FILE\n') },
    ]);
    expect(step.rename('px.out')).toBe('px.out');
  });

  test('passes as it is where the provider knows no envelope', async () => {
    const { contents } = await runStep(step, sealed, { chunkBytes: 5 });
    expect(contents[0]?.bytes).toEqual(Buffer.from(sealed));
  });

  test('that does not open is refused with the words of the provider', async () => {
    const error = await refusal(step, sealed, {
      decoding: async function* wrongKey(bytes) {
        for await (const _ of bytes)
          throw new PluginError('auth', 'the password does not open it', { code: 'WRONG_KEY' });
        yield sealed;
      },
    });
    expect(error).toMatchObject({ type: 'auth', code: 'WRONG_KEY' });
  });

  test('is let go when the reader has enough, or the run is stopped', async () => {
    const watched = watchedSource(sealed);
    const { context } = await makeContext({ decoding: turnOver });
    for await (const { bytes } of step.run({ name: 'a', bytes: watched.source }, context)) {
      const iterator = bytes[Symbol.asyncIterator]();
      await iterator.next();
      await iterator.return?.();
      break;
    }
    expect(watched.released).toBe(true);
    await expect(
      runStep(step, sealed, { signal: AbortSignal.abort(new Error('stop')) }),
    ).rejects.toThrow('stop');
  });

  test('is not proved whole by being opened', () => {
    expect(step.provesIntegrity('px.out')).toBe(false);
  });
});
