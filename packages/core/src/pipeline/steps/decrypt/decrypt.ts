import { isPluginError, type ConfigOf, type ConfigSchema } from '@octo/plugin-api';
import type { PrivateKey, PublicKey } from 'openpgp';
import type { Content, Step, StepContext, StepKind } from '../../step.ts';
import { ByteReader } from '../byte-reader.ts';
import { Growth } from '../growth.ts';
import { singleContent } from '../single-content.ts';
import { withoutSuffix } from '../suffix.ts';
import { armoredBlock, dearmor } from './armor.ts';
import { notOpenPgp, readEnvelope, type Container, type Envelope } from './envelope.ts';
import { decryptFailed, notSigned } from './failed.ts';
import type { OpenedKey } from './session-key.ts';

const optionsSchema = {
  type: 'object',
  description:
    'Decrypts OpenPGP messages, armored or binary, and refuses every one that was changed.',
  required: ['keys'],
  additionalProperties: false,
  properties: {
    keys: {
      type: 'array',
      minItems: 1,
      items: { type: 'string', minLength: 1, secret: true },
      description:
        'Private keys, armored or as base64 of the binary form. Keep retired keys for files that still use them.',
    },
    passphrases: {
      type: 'array',
      items: { type: 'string', secret: true },
      default: [],
      description: 'Passphrases of the keys, in any order.',
    },
    expectSigned: {
      type: 'object',
      description: 'Deliver only what one of these signed.',
      required: ['signers'],
      additionalProperties: false,
      properties: {
        signers: {
          type: 'array',
          minItems: 1,
          items: { type: 'string', minLength: 1 },
          description: 'Public keys, armored or as base64 of the binary form.',
        },
        fingerprints: {
          type: 'array',
          items: { type: 'string', pattern: '^([0-9A-Fa-f]{40}|[0-9A-Fa-f]{64})$' },
          default: [],
          description: 'Fingerprints of the primary keys that count. Default: all signers given.',
        },
      },
    },
    trimTrailing: {
      type: 'boolean',
      default: false,
      description: 'Ignore line ends that follow a binary message.',
    },
  },
  examples: [{ keys: ['${file:/etc/octo/pgp.asc}'], passphrases: ['${env:PGP_PASSPHRASE}'] }],
} as const satisfies ConfigSchema;

type DecryptOptions = ConfigOf<typeof optionsSchema>;

/** Undoes OpenPGP. What comes out is proved when the stream ends, not before. */
export const decryptKind: StepKind = {
  name: 'decrypt',
  optionsSchema,
  create: async (options: DecryptOptions) => {
    // With all that they need of OpenPGP: most manifests have no such step.
    const { readOwnKeys, readSigners } = await import('./keys.ts');
    const { expectSigned } = options;
    const keys = await readOwnKeys(options.keys, options.passphrases);
    const signers =
      expectSigned && (await readSigners(expectSigned.signers, expectSigned.fingerprints));
    return new DecryptStep(keys, signers, options.trimTrailing);
  },
};

const SUFFIXES = ['.pgp', '.gpg', '.asc', '.enc'];
/** As far as text may stand before an armored message. */
const DETECT_BYTES = 64 * 1024;

class DecryptStep implements Step {
  readonly name = 'decrypt';
  readonly #keys: readonly PrivateKey[];
  readonly #signers: readonly PublicKey[] | undefined;
  readonly #trimTrailing: boolean;

  constructor(
    keys: readonly PrivateKey[],
    signers: readonly PublicKey[] | undefined,
    trimTrailing: boolean,
  ) {
    this.#keys = keys;
    this.#signers = signers;
    this.#trimTrailing = trimTrailing;
  }

  rename(name: string): string {
    return withoutSuffix(name, SUFFIXES);
  }

  provesIntegrity(): boolean {
    return true;
  }

  run(content: Content, context: StepContext): AsyncIterable<Content> {
    return singleContent(this.rename(content.name), this.#plain(content, context), content.member);
  }

  async *#plain(content: Content, context: StepContext): AsyncGenerator<Uint8Array> {
    const { openSessionKey } = await import('./session-key.ts');
    await using file = new ByteReader(content.bytes);
    const message = await binaryMessage(file, context);
    try {
      const envelope = await readEnvelope(message, this.#trimTrailing);
      const now = new Date(context.clock.now());
      const opened = await openSessionKey(envelope, this.#keys, now);
      yield* this.#body(envelope, opened, file, context);
      await warnOfRetiredKey(opened.ownKey, now, context);
    } finally {
      await message[Symbol.asyncDispose]();
    }
  }

  async *#body(
    { container, recipients }: Envelope,
    { sessionKey }: OpenedKey,
    file: ByteReader,
    context: StepContext,
  ): AsyncGenerator<Uint8Array> {
    const { openContainer } = await import('./open-container.ts');
    const growth = new Growth(context.limits);
    try {
      await using opened = await openContainer(container, sessionKey, this.#signers ?? [], context);
      if (this.#signers !== undefined && opened.claimedSigners.length === 0) throw notSigned();
      for await (const chunk of opened.plaintext) {
        context.signal.throwIfAborted();
        growth.read = file.taken;
        growth.wrote(chunk.length);
        yield chunk;
      }
      const signedBy = await opened.signer();
      if (this.#signers !== undefined && signedBy === undefined) throw notSigned();
      context.remember({
        openpgp: {
          protection: protection(container),
          cipher: sessionKey.algorithm,
          recipients: recipients.map(({ keyId }) => keyId.toUpperCase()),
          signedBy: signedBy?.toUpperCase() ?? null,
          claimedSigners: opened.claimedSigners.map((id) => id.toUpperCase()),
        },
      });
    } catch (error) {
      context.signal.throwIfAborted();
      if (container.body.sourceError !== undefined) throw container.body.sourceError.error;
      throw isPluginError(error) ? error : decryptFailed(error);
    }
  }
}

async function binaryMessage(file: ByteReader, context: StepContext): Promise<ByteReader> {
  const head = await file.peek(DETECT_BYTES);
  if (isBinary(head)) return new ByteReader(file.rest());
  if (armoredBlock(head) !== 'MESSAGE') throw notOpenPgp();
  return new ByteReader(dearmor(file, (message) => context.warn(message)));
}

/** Every packet begins with a byte over 127 (RFC 9580, 4.2); text does not, unless it has a byte order mark. */
function isBinary(head: Uint8Array): boolean {
  return (head[0] ?? 0) > 127 && !(head[0] === 0xef && head[1] === 0xbb);
}

async function warnOfRetiredKey(
  key: PrivateKey | undefined,
  now: Date,
  context: StepContext,
): Promise<void> {
  const expires = await key?.getExpirationTime();
  const revoked = await key?.isRevoked(undefined, undefined, now);
  if (revoked !== true && !(expires instanceof Date && expires < now)) return;
  const id = key?.getKeyID().toHex().toUpperCase();
  context.warn(
    `the file is encrypted for our key ${id}, which is ${revoked ? 'revoked' : 'expired'}; give the vendor the new one`,
  );
}

function protection({ tag, version }: Container): string {
  return tag === 20 ? 'AEAD' : `SEIPDv${version}`;
}
