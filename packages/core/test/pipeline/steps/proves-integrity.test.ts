import { expect, test } from 'vitest';
import { stepKinds } from '../../../src/pipeline/steps/index.ts';
import { proveIntegrity } from '../../../src/pipeline/through-steps.ts';

async function step(name: string, options: object) {
  const kind = stepKinds.find((one) => one.name === name)!;
  return await kind.create(options as never);
}

const decompress = await step('decompress', { formats: ['gzip', 'zstd'], multiMember: false });
const unpack = await step('unpack', { members: 'one' });
const verify = await step('verify', { provider: true });
const trailer = await step('verify', { provider: true, trailer: 'END-OF-FILE' });

test.each([
  ['a.csv.gz', [decompress, verify], true],
  ['a.csv', [decompress, verify], false],
  ['a.csv.bz2', [decompress], false],
  ['a.zip', [unpack], true],
  ['a.ZIP', [unpack], true],
  ['a.tar', [unpack], false],
  ['a.tar.gz', [decompress, unpack], true],
  ['a.out', [trailer], true],
  ['a.csv', [], false],
])('%s through its steps is proved whole: %#', (name, steps, proved) => {
  expect(proveIntegrity(steps, name)).toBe(proved);
});
