/** Files whose bytes are wrong, among good ones. */
import { gzipSync } from 'node:zlib';
import {
  bombMessage,
  encryptedMessage,
  generatedContent,
  lockedKey,
  receivingKey,
  SFTP_STATUS,
  strangerKey,
  tamperedAt,
  VirtualTree,
  zipArchive,
  type ZipLies,
  type ZipMember,
} from '@octo/plugin-testing';
import { expect, test } from 'vitest';
import { canary } from './canaries.ts';
import { runTwice } from './run-twice.ts';
import { withLedger } from './site.ts';

withLedger();

const plain = Buffer.from('id,amount\n1,2.00\n'.repeat(300));
const empty = "EMPTY_FILE: it has no bytes; the pipeline's emptyFiles: 'deliver' would accept it";
const ratio =
  'LIMIT: the file unpacks to more than 200 bytes for each byte received; ask the vendor, or raise limits.maxRatio of the pipeline if that is expected';

function treeOf(files: { readonly [name: string]: Uint8Array | string }): VirtualTree {
  const tree = new VirtualTree();
  for (const [name, content] of Object.entries(files)) tree.file(`/in/${name}`, content);
  return tree;
}

test('encrypted files that are damaged, doubled, in the clear or for somebody else', async () => {
  const message = await encryptedMessage(plain, { to: [receivingKey] });
  const armored = await encryptedMessage(plain, { to: [receivingKey], armored: true });
  const tree = treeOf({
    'good.csv.pgp': message,
    'tampered.csv.pgp': tamperedAt(message, message.length >> 1),
    'tampered-at-the-end.csv.pgp': tamperedAt(message, message.length - 1),
    'truncated.csv.pgp': message.subarray(0, -100),
    'truncated.csv.asc': armored.subarray(0, Buffer.from(armored).indexOf('-----END')),
    'two.csv.pgp': Buffer.concat([message, message]),
    'two.csv.asc': Buffer.concat([armored, armored]),
    'plain.csv.pgp': plain,
    'stranger.csv.pgp': await encryptedMessage(plain, { to: [strangerKey] }),
    'password.csv.pgp': await encryptedMessage(plain, { to: [], password: canary.password }),
    'unprotected.csv.pgp': await encryptedMessage(plain, {
      to: [receivingKey],
      protection: 'none',
    }),
    'bomb.csv.pgp': await bombMessage(20e6, { to: [receivingKey] }),
    'empty.csv.pgp': '',
  });
  const keys = { keys: ['${env:KEY}', '${env:LOCKED}'], passphrases: ['${env:PASSPHRASE}'] };
  const env = {
    PASSWORD: canary.password,
    KEY: canary.openPgpKey,
    LOCKED: lockedKey.privateKey,
    PASSPHRASE: canary.passphrase,
  };
  const damaged =
    'DECRYPT_FAILED: the file cannot be decrypted or was changed on its way; fetch it again, or ask the vendor to send it again';
  expect(await runTwice(() => ({ tree, env, pipeline: { steps: [{ decrypt: keys }] } }))).toEqual({
    code: 1,
    visible: ['good.csv'],
    refused: {
      'tampered.csv.pgp': damaged,
      'tampered-at-the-end.csv.pgp': damaged,
      'truncated.csv.pgp': damaged,
      'truncated.csv.asc':
        'DECRYPT_FAILED: the armored OpenPGP message has broken armor; fetch it again',
      'two.csv.pgp':
        'TRAILING_DATA: bytes follow the OpenPGP message: a second message, or junk; ask the vendor, or set "trimTrailing" if these are line ends',
      'two.csv.asc':
        'TRAILING_DATA: the file holds more than one OpenPGP message; ask the vendor to send one file for each',
      'plain.csv.pgp':
        'NOT_ENCRYPTED: the file is not an OpenPGP message; remove the decrypt step if the vendor sends it in the clear',
      'password.csv.pgp':
        'PASSWORD_ENCRYPTED: the file is encrypted with a password; ask the vendor to encrypt it with our public key',
      'unprotected.csv.pgp':
        'NOT_PROTECTED: the OpenPGP message carries no protection against changes (SED packet); ask the vendor to encrypt with MDC or AEAD',
      'bomb.csv.pgp': ratio,
      'empty.csv.pgp': empty,
    },
    failed: {
      'stranger.csv.pgp':
        'KEY_UNAVAILABLE: none of the configured keys opens the file; it is encrypted for B143BB61BA4D0B9B: add that private key to the decrypt step',
    },
  });
});

test('compressed files that are damaged, followed by something, or bombs', async () => {
  const packed = gzipSync(plain);
  const tree = treeOf({
    'good.csv.gz': packed,
    'checksum.csv.gz': tamperedAt(packed, packed.length - 6),
    'length.csv.gz': tamperedAt(packed, packed.length - 2),
    'truncated.csv.gz': packed.subarray(0, -5),
    'truncated-early.csv.gz': packed.subarray(0, 30),
    'junk.csv.gz': Buffer.concat([packed, Buffer.from('junk')]),
    'two.csv.gz': Buffer.concat([packed, packed]),
    'plain.csv.gz': plain,
    'bomb.csv.gz': gzipSync(Buffer.alloc(20e6)),
    'bomb-of-bytes.csv.gz': gzipSync(generatedContent(60_000).read(0, 60_000)),
  });
  const limits = { maxBytes: 50_000 };
  const failed = (what: string) =>
    `DECOMPRESS_FAILED: the compressed file ${what}; ask the vendor to send it again`;
  const tooLarge = (what: string) =>
    `LIMIT: the file unpacks to more than ${what} of the pipeline if that is expected`;
  expect(await runTwice(() => ({ tree, pipeline: { steps: ['decompress'], limits } }))).toEqual({
    code: 1,
    visible: ['good.csv'],
    refused: {
      'checksum.csv.gz': failed('has a wrong checksum'),
      'length.csv.gz': failed('has a wrong length'),
      'truncated.csv.gz': failed('is cut off'),
      'truncated-early.csv.gz': failed('is damaged or cut off'),
      'junk.csv.gz': failed('is followed by other bytes'),
      'two.csv.gz':
        'DECOMPRESS_FAILED: the compressed file has several members; ask the vendor, or set "multiMember" if that is how the vendor writes',
      'plain.csv.gz':
        'DECOMPRESS_FAILED: plain.csv.gz is named as if it were compressed, but is not; ask the vendor which is right',
      'bomb.csv.gz': tooLarge('50000 bytes; ask the vendor, or raise limits.maxBytes'),
      'bomb-of-bytes.csv.gz': tooLarge('50000 bytes; ask the vendor, or raise limits.maxBytes'),
    },
  });
});

test('archives that lie about themselves', async () => {
  const zip = (members: readonly Partial<ZipMember>[], lies?: ZipLies) =>
    zipArchive(
      members.map((member) => ({ name: 'a.csv', content: plain, ...member })),
      lies,
    );
  const tree = treeOf({
    'good.zip': zip([{}, { name: 'folder/b.csv', content: Buffer.from('b\n') }]),
    'checksum.zip': zip([{ lies: { crc: 1 } }]),
    'smaller.zip': zip([{ lies: { size: 10 } }]),
    'larger.zip': zip([{ lies: { size: 10_000 } }]),
    'uncounted.zip': zip([{}, { name: 'b.csv' }], { count: 1 }),
    'doubled.zip': zip([{}, { name: 'A.csv' }]),
    'upwards.zip': zip([{ name: '../../a.csv' }]),
    'absolute.zip': zip([{ name: '/etc/cron.d/a' }]),
    'backslash.zip': zip([{ name: 'a\\..\\..\\b.csv' }]),
    'escape.zip': zip([{ name: 'a\u001b[2J.csv' }]),
    'overlap.zip': zip([{}, { lies: { offset: 0 } }]),
    'renamed.zip': zip([{ lies: { localName: 'b.csv' } }]),
    'absent.zip': zip([{}, { name: 'b.csv', lies: { absent: true } }]),
    'link.zip': zip([{ mode: 0o120777 }]),
    'password.zip': zip([{ lies: { flags: 1 } }]),
    'method.zip': zip([{ lies: { method: 14 } }]),
    'before.zip': zip([{}], { before: Buffer.from('MZ') }),
    'between.zip': zip([{}, { name: 'b.csv' }], { between: Buffer.from('junk') }),
    'after.zip': zip([{}], { after: Buffer.from('junk') }),
    'without-members.zip': zip([]),
    'truncated.zip': zip([{}]).subarray(0, 60),
    'bomb.zip': zip([{ content: Buffer.alloc(20e6) }]),
    'no-archive.zip': plain,
  });
  const invalid = (what: string, advice = 'ask the vendor to send it again') =>
    `ARCHIVE_INVALID: the archive ${what}; ${advice}`;
  expect(await runTwice(() => ({ tree, pipeline: { steps: ['unpack'] } }))).toEqual({
    code: 1,
    visible: ['good.zip.manifest.json', 'good.zip/HASH/a.csv', 'good.zip/HASH/b.csv'],
    refused: {
      'checksum.zip': invalid('has a member with a wrong checksum'),
      'smaller.zip': invalid('has a member of another size than it says'),
      'larger.zip': invalid('has a member of another size than it says'),
      'uncounted.zip': invalid('has more in its directory than it counts'),
      'doubled.zip': invalid('has two members of the same name: "A.csv"'),
      'upwards.zip': invalid('has a name that is not allowed: "../../a.csv"'),
      'absolute.zip': invalid('has a name that is not allowed: "/etc/cron.d/a"'),
      'backslash.zip': invalid(String.raw`has a name that is not allowed: "a\\..\\..\\b.csv"`),
      'escape.zip': invalid(String.raw`has a name that is not allowed: "a\u001b[2J.csv"`),
      'overlap.zip': invalid('has members that overlap'),
      'renamed.zip': invalid('contradicts its own directory'),
      'absent.zip': invalid('is damaged, or is followed by other bytes'),
      'link.zip': invalid('holds a link or a device, where only files are allowed'),
      'password.zip': invalid(
        'is encrypted with a password',
        'ask the vendor to send it without one',
      ),
      'method.zip': invalid(
        'uses compression method 14, which is not supported',
        'ask the vendor to compress it as usual (deflate)',
      ),
      'before.zip': invalid('is neither zip nor tar'),
      'between.zip': invalid('has bytes that belong to no member'),
      'after.zip': invalid('is damaged, or is followed by other bytes'),
      'without-members.zip': invalid('is empty'),
      'truncated.zip': invalid('is damaged, or is followed by other bytes'),
      'bomb.zip': ratio,
      'no-archive.zip': invalid('is neither zip nor tar'),
    },
  });
});

test('files that are shorter or longer than their listing, empty, or must not be read', async () => {
  const tree = treeOf({ 'good.csv': plain, 'empty.csv': '', 'forbidden.csv': plain })
    .file('/in/shorter.csv', 'only this', { claimedSize: 100 })
    .file('/in/longer.csv', 'only this and more', { claimedSize: 4 });
  const refuse = ({ name, path }: { name: string; path: string }) =>
    name === 'OPEN' && path === '/in/forbidden.csv' ? SFTP_STATUS.permissionDenied : undefined;
  const server = 'sftp 127.0.0.1:PORT';
  expect(
    await runTwice(() => ({
      tree,
      faults: { refuse },
    })),
  ).toEqual({
    code: 3,
    visible: ['good.csv'],
    refused: {
      'empty.csv': empty,
      'shorter.csv': `TRUNCATED: ${server}: /in/shorter.csv cannot be trusted: it ended at or before byte 9, although it should have 100; ask the vendor to send it again`,
      'longer.csv': `GROWN: ${server}: /in/longer.csv cannot be trusted: it has more than its 4 bytes, so it is still being written; ask the vendor to send it again`,
    },
    failed: {
      'forbidden.csv': `PERMISSION_DENIED: ${server}: cannot open /in/forbidden.csv: Permission denied (SFTP code 3); ask the vendor to give this user the permission`,
    },
  });
});
