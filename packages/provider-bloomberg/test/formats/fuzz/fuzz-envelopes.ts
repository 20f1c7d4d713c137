import { isPluginError } from '@octo/plugin-api';
import { inspectReply } from '../../../src/formats/reply-inspection.ts';
import { openUuDes } from '../../../src/formats/uu-des.ts';
import { sealed } from '../sealed.ts';
import { mutate } from './mutate.ts';
import { Random } from './random.ts';
import { isAcceptable } from './reference-verdict.ts';
import { SAMPLES } from './samples.ts';

/**
 * Opens `inputs` mutated envelopes and inspects what comes out of them, as the steps `decode` and `verify` do.
 * @returns how many there were by outcome
 * @throws for the first one that is accepted wrongly, or that makes anything but a PluginError
 */
export async function fuzzEnvelopes(seed: number, inputs: number): Promise<Map<string, number>> {
  const envelopes = SAMPLES.map((sample) =>
    Buffer.from(sealed(sample.toString('latin1'), 'latin1')),
  );
  const outcomes = new Map<string, number>();
  for (let i = 0; i < inputs; i += 1) {
    const random = new Random(Math.imul(seed, 0x9e3779b1) ^ Math.imul(i, 0x85ebca6b));
    const bytes = mutate(random.pick(envelopes), random);
    const size = random.pick([1, 61, 62, 4_096]);
    const outcome = await outcomeOf(bytes, size).catch((error: unknown) => {
      throw new Error(`seed ${seed}, envelope ${i}, chunks of ${size}`, { cause: error });
    });
    outcomes.set(outcome, (outcomes.get(outcome) ?? 0) + 1);
  }
  return outcomes;
}

async function outcomeOf(bytes: Buffer, size: number): Promise<string> {
  const opened: Uint8Array[] = [];
  const inspection = inspectReply();
  try {
    for await (const part of openUuDes(chunks(bytes, size), 'foo')) {
      opened.push(Uint8Array.from(part));
      inspection.write(part);
    }
    inspection.finish();
  } catch (error) {
    if (!isPluginError(error)) throw error;
    return `${error.type} ${error.code}`;
  }
  if (!isAcceptable(Buffer.concat(opened))) throw new Error('accepted wrongly');
  return 'accepted';
}

async function* chunks(bytes: Buffer, size: number): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < bytes.length; at += size) yield bytes.subarray(at, at + size);
}
