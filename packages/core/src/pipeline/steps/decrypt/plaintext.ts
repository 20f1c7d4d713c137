import {
  decrypt,
  type DecryptMessageResult,
  readMessage,
  type DecryptedSessionKey,
  type PublicKey,
  type SessionKey,
} from 'openpgp';
import type { StepContext } from '../../step.ts';
import type { Container } from './envelope.ts';
import { notBuffer, OPENPGP } from './library.ts';
import type { Watchdog } from './watchdog.ts';

/** Encrypted bytes handed to the library at a time: 2^18. Small pieces are what it is slow with. */
const PIECE_EXPONENT = 18;

/** Allowed inside the message over what may come out of it: packet headers and signatures. */
const PACKET_BYTES = 1024 * 1024;

export interface Opened {
  readonly plaintext: AsyncIterable<Uint8Array>;
  /** Key ids that the message says it is signed by. Nothing is checked yet. */
  readonly claimedSigners: readonly string[];
  /** After the end of the plaintext: fingerprint of the first of `signers` whose signature holds. */
  signer(): Promise<string | undefined>;
}

/**
 * Decrypts the container piece by piece. The plaintext comes before the proof: only when it ends without error has
 * the integrity check held.
 */
export async function openContainer(
  container: Container,
  sessionKey: DecryptedSessionKey,
  signers: readonly PublicKey[],
  context: StepContext,
  watchdog: Watchdog,
): Promise<Opened> {
  const config = {
    ...OPENPGP,
    allowUnauthenticatedStream: true,
    maxDecompressedMessageSize: context.limits.maxBytes + PACKET_BYTES,
  };
  const { data, signatures } = await decrypt({
    message: await readMessage({ binaryMessage: asStream(framed(container, watchdog)), config }),
    sessionKeys: sessionKey as SessionKey,
    verificationKeys: [...signers],
    format: 'binary',
    date: new Date(context.clock.now()),
    config,
  });
  return {
    plaintext: chunksOf(data, watchdog),
    claimedSigners: signatures.map(({ keyID }) => keyID.toHex()),
    signer: () => firstSigner(signatures, signers),
  };
}

async function firstSigner(
  signatures: DecryptMessageResult['signatures'],
  signers: readonly PublicKey[],
): Promise<string | undefined> {
  for (const { keyID, verified } of signatures) {
    const holds = await verified.catch(() => false);
    const key = signers.find((one) => one.getKeys(keyID).length > 0);
    if (holds && key !== undefined) return key.getFingerprint();
  }
  return undefined;
}

async function* chunksOf(
  data: ReadableStream<Uint8Array>,
  watchdog: Watchdog,
): AsyncGenerator<Uint8Array> {
  const reader = data.getReader();
  // Not waited for: a library that stands still does not answer. Pending reads end at once.
  const cancel = () => void reader.cancel().catch(() => undefined);
  watchdog.onInterrupt = cancel;
  try {
    for (;;) {
      watchdog.awaited(true);
      const { done, value } = await reader.read();
      watchdog.awaited(false);
      watchdog.throwIfInterrupted();
      if (done) return;
      yield value;
    }
  } finally {
    cancel();
  }
}

/** The container with length headers of our own choice around large pieces. */
async function* framed({ tag, body }: Container, watchdog: Watchdog): AsyncGenerator<Uint8Array> {
  const pieceBytes = 2 ** PIECE_EXPONENT;
  const take = async () => {
    watchdog.fed(false);
    const piece = await body.take(pieceBytes);
    watchdog.fed(true);
    return piece;
  };
  yield Uint8Array.of(0xc0 | tag);
  let piece = await take();
  while (piece.length === pieceBytes) {
    yield Uint8Array.of(0xe0 | PIECE_EXPONENT);
    yield notBuffer(piece);
    piece = await take();
  }
  const last = Buffer.alloc(5, 0xff);
  last.writeUInt32BE(piece.length, 1);
  yield notBuffer(Buffer.concat([last, piece]));
}

function asStream(chunks: AsyncIterable<Uint8Array>): ReadableStream<Uint8Array> {
  return ReadableStream.from<Uint8Array>(chunks);
}
