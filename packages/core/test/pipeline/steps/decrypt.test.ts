import {
  bombMessage,
  encryptedMessage,
  lockedKey,
  positionsIn,
  receivingKey,
  retiredKey,
  strangerKey,
  tamperedAt,
  vendorKey,
  type EncryptedMessageOptions,
} from '@octo/plugin-testing';
import { isPluginError, PluginError } from '@octo/plugin-api';
import { describe, expect, test } from 'vitest';
import { Watchdog } from '../../../src/pipeline/steps/decrypt/watchdog.ts';
import {
  inChunks,
  makeContext,
  makeStep,
  type Outcome,
  refusal,
  runStep,
  watchedSource,
} from './step-harness.ts';

const plain = Buffer.from(
  Array.from({ length: 20_000 }, (_, row) => `${row},K3PD-7QXZ,${row * 37}.00\r\n`).join(''),
);
const to = [receivingKey];
const ours = { keys: [receivingKey.privateKey, retiredKey.privateKey] };
const signedOnly = { ...ours, expectSigned: { signers: [vendorKey.publicKey] } };

async function message(options: Partial<EncryptedMessageOptions> = {}): Promise<Uint8Array> {
  return encryptedMessage(plain, { to, ...options });
}

describe('what vendors send comes out as they wrote it', () => {
  const ways: readonly Partial<EncryptedMessageOptions>[] = [
    {},
    { protection: 'SEIPDv2' },
    { protection: 'AEAD' },
    { compression: 'zip' },
    { compression: 'zlib', signedBy: [vendorKey] },
    { signedBy: [vendorKey, strangerKey] },
    { hidden: true },
    { to: [strangerKey, receivingKey] },
    { to: [retiredKey] },
    { to: [retiredKey], protection: 'SEIPDv2' },
    { to: [strangerKey, retiredKey], hidden: true },
    { password: 'somebody else may use this one' },
    { armored: true },
  ];
  test.each(ways.map((way) => [describeWay(way), way] as const))('%s', async (_, way) => {
    const step = await makeStep('decrypt', ours);
    const { contents, warnings } = await runStep(step, await message(way), { name: 'a.csv.pgp' });
    expect(contents.map(({ name }) => name)).toEqual(['a.csv']);
    expect(contents[0]?.bytes.equals(plain)).toBe(true);
    expect(warnings).toEqual([]);
  });

  test('with every size of chunk that the vendor may send', async () => {
    const step = await makeStep('decrypt', ours);
    const small = await encryptedMessage(plain.subarray(0, 3000), { to, protection: 'SEIPDv2' });
    for (const chunkBytes of [1, 7, 1000, 1e6]) {
      const { contents } = await runStep(step, small, { chunkBytes });
      expect(contents[0]?.bytes.equals(plain.subarray(0, 3000))).toBe(true);
    }
  });

  test('an empty file', async () => {
    const step = await makeStep('decrypt', ours);
    const { contents } = await runStep(step, await encryptedMessage(new Uint8Array(), { to }));
    expect(contents[0]?.bytes).toHaveLength(0);
  });

  test('what is known about the message is remembered', async () => {
    const step = await makeStep('decrypt', signedOnly);
    const { facts } = await runStep(step, await message({ signedBy: [vendorKey] }));
    expect(facts).toEqual({
      openpgp: {
        protection: 'SEIPDv1',
        cipher: 'aes256',
        recipients: [receivingKey.encryptionKeyId.toUpperCase()],
        signedBy: vendorKey.fingerprint.toUpperCase(),
        claimedSigners: [vendorKey.fingerprint.slice(-16).toUpperCase()],
      },
    });
  });
});

describe('armor', () => {
  test('may have CRLF, comments, a byte order mark, no checksum and blank lines after it', async () => {
    const step = await makeStep('decrypt', ours);
    const armored = Buffer.from(await message({ armored: true })).toString();
    const variants = [
      armored.replaceAll('\n', '\r\n'),
      armored.replace('\n\n', '\nVersion: PGP Command Line\nComment: x\n\n'),
      `\uFEFF${armored}`,
      armored.replace(/\n=[A-Za-z0-9+/]{4}\n/, '\n'),
      `${armored}\r\n\r\n`,
    ];
    for (const variant of variants) {
      const { contents, warnings } = await runStep(step, Buffer.from(variant));
      expect(contents[0]?.bytes.equals(plain)).toBe(true);
      expect(warnings).toEqual([]);
    }
  });

  test('text around it is left out with a warning', async () => {
    const step = await makeStep('decrypt', ours);
    const armored = Buffer.from(await message({ armored: true })).toString();
    const { contents, warnings } = await runStep(step, Buffer.from(`Hello,\n\n${armored}\nBye.\n`));
    expect(contents[0]?.bytes.equals(plain)).toBe(true);
    expect(warnings).toEqual(['text around the armored OpenPGP message was left out']);
  });

  test('two blocks in one file are refused, where others read the first only', async () => {
    const step = await makeStep('decrypt', ours);
    const armored = await message({ armored: true });
    const error = await refusal(step, Buffer.concat([armored, armored]));
    expect(error).toMatchObject({ type: 'integrity', code: 'TRAILING_DATA' });
  });

  test('without its end is refused', async () => {
    const step = await makeStep('decrypt', ours);
    const armored = Buffer.from(await message({ armored: true })).toString();
    const cut = armored.slice(0, armored.lastIndexOf('-----END'));
    expect(await refusal(step, Buffer.from(cut))).toMatchObject({ code: 'DECRYPT_FAILED' });
  });
});

describe('nothing that was changed is accepted', () => {
  const small = plain.subarray(0, 1500);
  const ways: readonly Partial<EncryptedMessageOptions>[] = [
    {},
    { compression: 'zlib', signedBy: [vendorKey] },
    { protection: 'SEIPDv2', signedBy: [vendorKey] },
    { protection: 'AEAD', compression: 'zip' },
  ];
  const cases = ways.map((way) => [describeWay(way), way] as const);

  test.each(cases)('a bit flipped at 256 positions: %s', async (_, way) => {
    const step = await makeStep('decrypt', { keys: [receivingKey.privateKey] });
    const good = await encryptedMessage(small, { to, ...way });
    let refused = 0;
    for (const position of positionsIn(good, 256)) {
      const bad = tamperedAt(good, position, 1 << (position % 8));
      const outcome = await runStep(step, bad).catch((error: unknown) => error);
      if (isPluginError(outcome)) refused += 1;
      // The wrapping of the session key has bits without meaning: what comes out is then what was sent.
      const accepted = isPluginError(outcome) ? small : (outcome as Outcome).contents[0]?.bytes;
      expect(accepted?.equals(small), `at ${position}`).toBe(true);
    }
    expect(refused).toBeGreaterThan(250);
  });

  test.each(cases)('cut off at 64 positions: %s', async (_, way) => {
    const step = await makeStep('decrypt', { keys: [receivingKey.privateKey] });
    const good = await encryptedMessage(small, { to, ...way });
    for (const position of positionsIn(good.subarray(0, -1), 64)) {
      const error = await refusal(step, good.subarray(0, position));
      expect(error.type, `at ${position}`).toBe('integrity');
    }
  });

  test('one class of error for all damage; what broke is only in its cause', async () => {
    const step = await makeStep('decrypt', ours);
    const good = await message();
    const errors = [
      await refusal(step, tamperedAt(good, 40)),
      await refusal(step, tamperedAt(good, 100_000)),
      await refusal(step, tamperedAt(good, good.length - 1)),
      await refusal(step, good.subarray(0, -100)),
    ];
    for (const error of errors) {
      expect(error).toMatchObject({ type: 'integrity', code: 'DECRYPT_FAILED' });
      expect(error.message).toBe(errors[0]?.message);
      expect(error.cause).toBeInstanceOf(Error);
    }
  });

  test('a damaged message in a large file is still damaged', async () => {
    const step = await makeStep('decrypt', ours);
    const large = Buffer.concat(Array.from({ length: 10 }, () => plain));
    const good = await encryptedMessage(large, { to });
    const error = await refusal(step, tamperedAt(good, 300_000));
    expect(error.code).toBe('DECRYPT_FAILED');
  });
});

describe('what is no whole, protected message for us is refused', () => {
  test('plain text', async () => {
    const step = await makeStep('decrypt', ours);
    for (const text of [
      plain,
      Buffer.from(''),
      Buffer.from('\uFEFFa,b\n'),
      Buffer.alloc(99, 255),
    ]) {
      const error = await refusal(step, text);
      expect(error.type).toBe('integrity');
      expect(error.message).toMatch(/is not an OpenPGP message/);
    }
  });

  test('two messages, and bytes behind the message', async () => {
    const step = await makeStep('decrypt', ours);
    const good = await message();
    for (const tail of [good, Buffer.from('\r\n'), Buffer.from('x')]) {
      const error = await refusal(step, Buffer.concat([good, tail]));
      expect(error).toMatchObject({ type: 'integrity', code: 'TRAILING_DATA' });
    }
  });

  test('line ends behind the message may be allowed, and nothing else with them', async () => {
    const step = await makeStep('decrypt', { ...ours, trimTrailing: true });
    const good = await message();
    const { contents } = await runStep(step, Buffer.concat([good, Buffer.from('\r\n\r\n')]));
    expect(contents[0]?.bytes.equals(plain)).toBe(true);
    const error = await refusal(step, Buffer.concat([good, Buffer.from('\r\nx')]));
    expect(error.code).toBe('TRAILING_DATA');
  });

  test('a message without protection against changes', async () => {
    const step = await makeStep('decrypt', ours);
    const error = await refusal(step, await message({ protection: 'none' }));
    expect(error).toMatchObject({ type: 'integrity', code: 'NOT_PROTECTED' });
  });

  test('a message for a password only', async () => {
    const step = await makeStep('decrypt', ours);
    const error = await refusal(step, await message({ to: [], password: 'x' }));
    expect(error).toMatchObject({ type: 'integrity', code: 'PASSWORD_ENCRYPTED' });
  });

  test('a message for another key: the error names the key that is missing', async () => {
    const step = await makeStep('decrypt', ours);
    const error = await refusal(step, await message({ to: [strangerKey] }));
    expect(error).toMatchObject({ type: 'validation', code: 'KEY_UNAVAILABLE' });
    expect(error.message).toContain(strangerKey.encryptionKeyId.toUpperCase());
  });

  test('a message for a hidden key that is not ours', async () => {
    const step = await makeStep('decrypt', ours);
    for (const options of [
      { to: [strangerKey] },
      { to: [lockedKey], protection: 'AEAD' as const },
    ]) {
      const error = await refusal(step, await message({ ...options, hidden: true }));
      expect(error).toMatchObject({ type: 'validation', code: 'KEY_UNAVAILABLE' });
    }
  });

  test('a bomb, at the limit of bytes and at the limit of the ratio', async () => {
    const step = await makeStep('decrypt', ours);
    const bomb = await bombMessage(64 * 1024 * 1024, { to });
    expect(bomb.length).toBeLessThan(200_000);
    const tooLarge = { maxBytes: 10_000_000, maxRatio: 1e9 };
    expect(await refusal(step, bomb, { limits: tooLarge })).toMatchObject({ code: 'LIMIT' });
    expect(await refusal(step, bomb, { limits: { maxRatio: 100 } })).toMatchObject({
      type: 'integrity',
      code: 'LIMIT',
    });
  });
});

test('a beginning on which the library would stand still is refused at once', async () => {
  const step = await makeStep('decrypt', ours);
  for (const protection of ['SEIPDv1', 'SEIPDv2', 'AEAD'] as const) {
    const error = await refusal(step, await message({ compression: 'unknown', protection }));
    expect(error).toMatchObject({ type: 'integrity', code: 'DECRYPT_FAILED' });
  }
});

describe('when the library stands still', () => {
  const never = new Promise<void>(() => undefined);

  test('the waiting ends after a while', async () => {
    const { context, clock } = await makeContext();
    using watchdog = new Watchdog(context);
    watchdog.awaited(true);
    const outcome = watchdog.guard(never).catch((error: unknown) => error);
    await clock.advance(60_000);
    expect(await outcome).toMatchObject({ type: 'integrity', code: 'DECRYPT_FAILED' });
    expect(() => watchdog.throwIfInterrupted()).toThrow(/cannot be decrypted/);
  });

  test('it is not the library that a slow vendor or a slow sink makes wait', async () => {
    const { context, clock } = await makeContext();
    using watchdog = new Watchdog(context);
    watchdog.awaited(false);
    await clock.advance(600_000);
    watchdog.awaited(true);
    watchdog.fed(false);
    await clock.advance(600_000);
    expect(() => watchdog.throwIfInterrupted()).not.toThrow();
  });

  test('an abort ends the waiting at once, with its reason', async () => {
    const stop = new AbortController();
    const { context } = await makeContext({ signal: stop.signal });
    using watchdog = new Watchdog(context);
    const outcome = watchdog.guard(never).catch((error: unknown) => error);
    const reason = new Error('stop');
    stop.abort(reason);
    expect(await outcome).toBe(reason);
  });
});

describe('signatures', () => {
  test('an unsigned file is refused where a signature is expected', async () => {
    const error = await refusal(await makeStep('decrypt', signedOnly), await message());
    expect(error).toMatchObject({ type: 'integrity', code: 'SIGNATURE' });
  });

  test("a file that somebody else signed is refused, and one of somebody's several signers is enough", async () => {
    const step = await makeStep('decrypt', signedOnly);
    const error = await refusal(step, await message({ signedBy: [strangerKey] }));
    expect(error).toMatchObject({ type: 'integrity', code: 'SIGNATURE' });
    const { contents } = await runStep(step, await message({ signedBy: [strangerKey, vendorKey] }));
    expect(contents[0]?.bytes.equals(plain)).toBe(true);
  });

  test('only pinned fingerprints count', async () => {
    const signers = [vendorKey.publicKey, strangerKey.publicKey];
    const fingerprints = [vendorKey.fingerprint.toUpperCase()];
    const step = await makeStep('decrypt', { ...ours, expectSigned: { signers, fingerprints } });
    expect((await refusal(step, await message({ signedBy: [strangerKey] }))).code).toBe(
      'SIGNATURE',
    );
    await runStep(step, await message({ signedBy: [vendorKey] }));
  });

  test('a signature from the future does not count', async () => {
    const step = await makeStep('decrypt', signedOnly);
    const date = new Date('2026-03-01T00:00:00Z');
    expect((await refusal(step, await message({ signedBy: [vendorKey], date }))).code).toBe(
      'SIGNATURE',
    );
  });
});

describe('keys in the manifest', () => {
  test('may be armored, base64 of the binary form, several in one text, or locked', async () => {
    const binary = receivingKey.privateKey.replaceAll(/-----.*|^=.*$|\n/gm, '');
    const both = `${retiredKey.privateKey}\n${receivingKey.privateKey}`;
    for (const key of [receivingKey.privateKey, binary, both]) {
      const step = await makeStep('decrypt', { keys: [key] });
      expect((await runStep(step, await message())).contents[0]?.bytes.equals(plain)).toBe(true);
    }
    const passphrases = ['wrong', lockedKey.passphrase];
    const step = await makeStep('decrypt', { keys: [lockedKey.privateKey], passphrases });
    await runStep(step, await message({ to: [lockedKey] }));
  });

  test.each([
    ['a public key', { keys: [receivingKey.publicKey] }, /keys\[0\] is not an OpenPGP private key/],
    ['nonsense', { keys: ['hello'] }, /keys\[0\] is not an OpenPGP private key/],
    [
      'a locked key without its passphrase',
      { keys: [lockedKey.privateKey], passphrases: ['hunter2'] },
      /no passphrase opens the key/,
    ],
    [
      'a fingerprint that no signer has',
      {
        ...ours,
        expectSigned: {
          signers: [vendorKey.publicKey],
          fingerprints: [strangerKey.fingerprint],
        },
      },
      /none of the signers has the fingerprint/,
    ],
  ])('%s is refused before any file is read', async (_, options, says) => {
    const error = await makeStep('decrypt', options).catch((thrown: unknown) => thrown);
    expect(error).toBeInstanceOf(PluginError);
    expect((error as PluginError).message).toMatch(says);
    expect((error as PluginError).message).not.toContain('hunter2');
  });
});

describe('streams', () => {
  test('break releases the source', async () => {
    const step = await makeStep('decrypt', ours);
    const large = Buffer.concat(Array.from({ length: 10 }, () => plain));
    const watched = watchedSource(await encryptedMessage(large, { to }));
    const { context } = await makeContext();
    for await (const content of step.run({ name: 'a', bytes: watched.source }, context)) {
      for await (const chunk of content.bytes) {
        expect(chunk.length).toBeGreaterThan(0);
        break;
      }
      break;
    }
    expect(watched.released).toBe(true);
  });

  test("the source's own error passes unchanged", async () => {
    const step = await makeStep('decrypt', ours);
    const good = await message();
    const lost = new PluginError('network', 'connection lost');
    async function* failing(): AsyncGenerator<Uint8Array> {
      yield* inChunks(good.subarray(0, 100_000), 10_000);
      throw lost;
    }
    expect(await refusal(step, failing())).toBe(lost);
  });

  test('an abort ends with its reason', async () => {
    const step = await makeStep('decrypt', ours);
    const reason = new Error('stop');
    const running = runStep(step, await message(), { signal: AbortSignal.abort(reason) });
    await expect(running).rejects.toBe(reason);
  });

  test('a consumer that leaves bytes unread never sees a good end', async () => {
    const step = await makeStep('decrypt', ours);
    const { context } = await makeContext();
    const contents = step.run({ name: 'a', bytes: inChunks(await message(), 1e5) }, context);
    const iterator = contents[Symbol.asyncIterator]();
    await iterator.next();
    await expect(iterator.next()).rejects.toThrow(/was not read to its end/);
  });
});

test('rename takes off what OpenPGP tools put on', async () => {
  const step = await makeStep('decrypt', ours);
  const names = ['a.csv.pgp', 'a.csv.GPG', 'a.asc', 'a.enc', 'a.csv', '.pgp'];
  expect(names.map((name) => step.rename(name))).toEqual([
    'a.csv',
    'a.csv',
    'a',
    'a',
    'a.csv',
    '.pgp',
  ]);
});

function describeWay(way: Partial<EncryptedMessageOptions>): string {
  const { to: keys, signedBy, ...rest } = way;
  return JSON.stringify({
    ...rest,
    ...(keys === undefined ? {} : { to: keys.map(({ encryptionKeyId }) => encryptionKeyId) }),
    ...(signedBy === undefined ? {} : { signatures: signedBy.length }),
  });
}
