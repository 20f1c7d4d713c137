import { readdir } from 'node:fs/promises';
import { positionsIn, tamperedAt, zipArchive, type ZipMember } from '@octo/plugin-testing';
import { PluginError } from '@octo/plugin-api';
import { pack, type Header } from 'tar-stream';
import { describe, expect, test } from 'vitest';
import {
  makeContext,
  makeStep,
  inChunks,
  refusal,
  runStep,
  watchedSource,
} from './step-harness.ts';

const a = Buffer.from('a,b\n1,2\n'.repeat(500));
const b = Buffer.from('x'.repeat(100_000));
const two: readonly ZipMember[] = [
  { name: 'a.csv', content: a },
  { name: 'folder/b.csv', content: b, stored: true },
];

async function members(archive: Uint8Array, options: object = {}) {
  const { contents } = await runStep(await makeStep('unpack', options), archive, { name: 'x.zip' });
  return contents.map(({ name, member, bytes }) => [name, member, bytes.toString()]);
}

const bothMembers = [
  ['a.csv', 'a.csv', a.toString()],
  ['b.csv', 'folder/b.csv', b.toString()],
];

async function tarOf(
  entries: readonly (readonly [Partial<Header> & { name: string }, (Buffer | string)?])[],
): Promise<Buffer> {
  const archive = pack();
  for (const [header, content] of entries) archive.entry(header, content ?? '');
  archive.finalize();
  return Buffer.concat(await Array.fromAsync(archive as AsyncIterable<Buffer>));
}

function twoInTar(): Promise<Buffer> {
  return tarOf([
    [{ name: 'a.csv' }, a],
    [{ name: 'folder/b.csv' }, b],
  ]);
}

describe('an honest zip archive comes apart', () => {
  test.each([
    ['plain', two],
    ['with sizes behind the data', two.map((one) => ({ ...one, descriptor: true }))],
    ['with 64-bit sizes', two.map((one) => ({ ...one, zip64: true }))],
    [
      'with a folder',
      [{ name: 'folder/', content: a.subarray(0, 0), stored: true, mode: 0o40755 }, ...two],
    ],
  ])('%s', async (_, content) => {
    expect(await members(zipArchive(content))).toEqual(bothMembers);
  });

  test('an empty file in it is a file', async () => {
    const zip = zipArchive([{ name: 'empty', content: Buffer.alloc(0), stored: true }]);
    expect(await members(zip)).toEqual([['empty', 'empty', '']]);
  });

  test('an archive inside it is just bytes', async () => {
    const inner = zipArchive(two);
    const step = await makeStep('unpack');
    const { contents } = await runStep(step, zipArchive([{ name: 'in.zip', content: inner }]));
    expect(contents[0]?.bytes.equals(inner)).toBe(true);
  });
});

const link = 0o120777;
const other = { name: 'c', content: b.subarray(0, 2000), stored: true };
test.each<[string, readonly ZipMember[], Parameters<typeof zipArchive>[1]?]>([
  ['a wrong checksum', [{ name: 'a', content: a, lies: { crc: 1 } }]],
  [
    'a wrong checksum of a stored member',
    [{ name: 'a', content: a, stored: true, lies: { crc: 1 } }],
  ],
  ['a size that is too small', [{ name: 'a', content: a, lies: { size: 10 } }]],
  ['a size that is too large', [{ name: 'a', content: a, lies: { size: 1e6 } }]],
  ['two members in the same place', [other, { ...other, name: 'd', lies: { offset: 0 } }]],
  ['two members of the same name', [other, other]],
  ['two names that differ in case', [other, { ...other, name: 'C' }]],
  [
    'two spellings of one name',
    [
      { ...other, name: '\u00E9' },
      { ...other, name: 'e\u0301' },
    ],
  ],
  ['a file that is a folder, too', [other, { ...other, name: 'c/d' }]],
  ['a name that leads outside', [{ name: '../../evil', content: a }]],
  ['an absolute name', [{ name: '/etc/passwd', content: a }]],
  ['a name with a drive', [{ name: 'C:evil', content: a }]],
  ['a name with a backslash', [{ name: 'a\\b', content: a }]],
  ['a name with a control character', [{ name: 'a\u001B[2Jb', content: a }]],
  ['a name that is not UTF-8', [{ name: Buffer.from([0x61, 0xe9]), content: a }]],
  ['an empty segment in a name', [{ name: 'a//b', content: a }]],
  ['no name', [{ name: '', content: a }]],
  ['a symbolic link', [{ name: 'a', content: Buffer.from('/etc/passwd'), mode: link }]],
  ['a password', [{ name: 'a', content: a, lies: { flags: 1 } }]],
  ['an unknown compression', [{ name: 'a', content: a, lies: { method: 99 } }]],
  ['another name in the local header', [{ name: 'a', content: a, lies: { localName: 'b' } }]],
  ['no members', []],
  ['fewer members than it counts', [other], { count: 2 }],
  ['more members than it counts', [other, { ...other, name: 'd' }], { count: 1 }],
  [
    'a member that its directory has but does not count',
    [other, { ...other, name: 'd', lies: { offset: 0, absent: true } }],
    { count: 1 },
  ],
  ['bytes before it', [other], { before: Buffer.from('#!/bin/sh\n') }],
  ['bytes between members', [other, { ...other, name: 'd' }], { between: Buffer.from('x') }],
  ['bytes behind it', [other], { after: Buffer.from('\n') }],
])('a zip archive with %s is refused', async (_, content, lies) => {
  const error = await refusal(await makeStep('unpack'), zipArchive(content, lies));
  expect(error).toMatchObject({ type: 'integrity', code: 'ARCHIVE_INVALID' });
  expect(error.message).toMatch(/^[\u0020-\u007E]*$/);
});

describe.each([
  ['zip', async () => zipArchive(two)],
  ['tar', twoInTar],
])('%s', (_, make) => {
  test('all members, or those asked for', async () => {
    expect(await members(await make())).toEqual(bothMembers);
    expect(await members(await make(), { include: ['b.csv'] })).toEqual(bothMembers.slice(1));
    expect(await members(await make(), { members: 'one', include: ['b.csv'] })).toEqual([
      ['x', undefined, b.toString()],
    ]);
  });

  test('"one" refuses more and fewer, and a choice that meets nothing is refused', async () => {
    for (const options of [{ members: 'one' }, { members: 'one', include: ['.pdf'] }]) {
      const error = await refusal(await makeStep('unpack', options), await make());
      expect(error.message).toMatch(/exactly one file, as "members": "one" asks for/);
    }
    const error = await refusal(await makeStep('unpack', { include: ['.pdf'] }), await make());
    expect(error.message).toMatch(/holds no file that ends with \.pdf/);
  });

  test('cut off at 64 positions it is refused', async () => {
    const archive = await make();
    const step = await makeStep('unpack');
    // A tar archive is whole once its two empty blocks have come; what follows them is padding.
    const whole = archive.subarray(0, archive.length - (archive.length % 10_240 === 0 ? 9000 : 1));
    for (const position of positionsIn(whole, 64)) {
      const error = await refusal(step, archive.subarray(0, position));
      expect(error, `at ${position}`).toMatchObject({ code: 'ARCHIVE_INVALID' });
    }
  });

  test('limits of bytes, ratio and members hold', async () => {
    const step = await makeStep('unpack');
    const archive = await make();
    for (const limits of [{ maxBytes: 100_100 }, { maxMembers: 1 }]) {
      expect(await refusal(step, archive, { limits })).toMatchObject({ code: 'LIMIT' });
    }
  });

  test('any size of chunk will do', async () => {
    const step = await makeStep('unpack');
    for (const chunkBytes of [100, 511, 513, 1e6]) {
      const { contents } = await runStep(step, await make(), { chunkBytes });
      expect(contents.map(({ bytes }) => bytes.length)).toEqual([a.length, b.length]);
    }
  });

  test('break leaves nothing behind', async () => {
    const step = await makeStep('unpack');
    const { context } = await makeContext();
    for await (const { bytes } of step.run(
      { name: 'x', bytes: inChunks(await make(), 1000) },
      context,
    )) {
      for await (const chunk of bytes) {
        expect(chunk.length).toBeGreaterThan(0);
        break;
      }
      break;
    }
    expect(await readdir(context.spoolFolder)).toEqual([]);
  });

  test("the source's own error passes unchanged", async () => {
    const lost = new PluginError('network', 'connection lost');
    const archive = await make();
    async function* failing(): AsyncGenerator<Uint8Array> {
      yield archive.subarray(0, 3000);
      throw lost;
    }
    expect(await refusal(await makeStep('unpack'), failing())).toBe(lost);
  });
});

test('a bit flipped in a zip archive never gives other bytes', async () => {
  const step = await makeStep('unpack');
  const zip = zipArchive([{ name: 'a.csv', content: a }]);
  for (const position of positionsIn(zip, 128)) {
    const bad = tamperedAt(zip, position, 1 << (position % 8));
    const outcome = await runStep(step, bad).catch((error: unknown) => error);
    const accepted =
      outcome instanceof PluginError
        ? a
        : (outcome as Awaited<ReturnType<typeof runStep>>).contents[0]?.bytes;
    expect(accepted?.equals(a), `at ${position}`).toBe(true);
  }
});

test('a zip bomb stops at the ratio, and a spool at the limit of bytes', async () => {
  const step = await makeStep('unpack');
  const bomb = zipArchive([{ name: 'a', content: Buffer.alloc(20_000_000) }]);
  expect(await refusal(step, bomb, { limits: { maxRatio: 200 } })).toMatchObject({ code: 'LIMIT' });
  const watched = watchedSource(zipArchive(two));
  expect(await refusal(step, watched.source, { limits: { maxBytes: 1e6 } })).toMatchObject({
    code: 'LIMIT',
  });
  expect(watched.released).toBe(true);
});

describe('tar', () => {
  const long = `${'folder/'.repeat(40)}file.csv`;

  test('long names and large numbers are read', async () => {
    const tar = await tarOf([[{ name: long, pax: { comment: 'x', path: long } }, 'abc']]);
    expect(await members(tar)).toEqual([['file.csv', long, 'abc']]);
  });

  test('folders and a leading ./ are nothing special', async () => {
    const tar = await tarOf([
      [{ name: './', type: 'directory' }],
      [{ name: './a', type: 'file' }, 'abc'],
    ]);
    expect(await members(tar)).toEqual([['a', 'a', 'abc']]);
  });

  test.each<[string, Partial<Header> & { name: string }]>([
    ['a symbolic link', { name: 'a', type: 'symlink', linkname: '/etc/passwd' }],
    ['a hard link', { name: 'a', type: 'link', linkname: '/etc/passwd' }],
    ['a device', { name: 'a', type: 'block-device' }],
    ['a pipe', { name: 'a', type: 'fifo' }],
    ['a name that leads outside', { name: '../a' }],
    ['an absolute name', { name: '/a' }],
    ['a name with a control character', { name: 'a\nb' }],
  ])('with %s it is refused', async (_, header) => {
    const error = await refusal(await makeStep('unpack'), await tarOf([[header]]));
    expect(error).toMatchObject({ type: 'integrity', code: 'ARCHIVE_INVALID' });
  });

  test('without its end it is refused, and with bytes behind its end, too', async () => {
    const step = await makeStep('unpack');
    const tar = await tarOf([[{ name: 'a' }, Buffer.alloc(512)]]);
    for (const bad of [
      tar.subarray(0, 1024),
      tar.subarray(0, 1536),
      Buffer.concat([tar, Buffer.from('x')]),
      Buffer.concat([tar, tar]),
    ]) {
      expect(await refusal(step, bad)).toMatchObject({ code: 'ARCHIVE_INVALID' });
    }
  });
});

test('what is no archive is refused', async () => {
  const step = await makeStep('unpack');
  for (const bytes of [a, Buffer.alloc(0), Buffer.alloc(2048)]) {
    expect((await refusal(step, bytes)).message).toMatch(/is neither zip nor tar/);
  }
});

test('names are known before any byte is read', async () => {
  const one = await makeStep('unpack', { members: 'one' });
  const all = await makeStep('unpack');
  expect(['a.csv.zip', 'a.TAR', 'a'].map((name) => one.rename(name))).toEqual(['a.csv', 'a', 'a']);
  expect(all.rename('a.zip')).toBe('a.zip.manifest.json');
});
