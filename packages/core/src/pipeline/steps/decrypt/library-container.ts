import {
  decrypt,
  type DecryptMessageResult,
  readMessage,
  type DecryptedSessionKey,
  type PublicKey,
  type SessionKey,
} from 'openpgp';
import type { StepContext } from '../../step.ts';
import { coalesce } from '../coalesce.ts';
import type { Container } from './envelope.ts';
import { notBuffer, OPENPGP } from './library.ts';
import type { Opened } from './open-container.ts';
import { Watchdog } from './watchdog.ts';

/** Encrypted bytes handed to the library at a time: 2^18. Small pieces are what it is slow with. */
const PIECE_EXPONENT = 18;

const OUTPUT_BYTES = 64 * 1024;
/** Allowed inside the message over what may come out of it: packet headers and signatures. */
const PACKET_BYTES = 1024 * 1024;

/**
 * Has the library decrypt the container, piece by piece: for what node has no cipher for. The plaintext comes before
 * the proof: only when it ends without error has the integrity check held.
 */
export async function openWithLibrary(
  container: Container,
  sessionKey: DecryptedSessionKey,
  signers: readonly PublicKey[],
  context: StepContext,
): Promise<Opened> {
  const watchdog = new Watchdog(context);
  try {
    watchdog.awaited(true);
    return await watchdog.guard(opened(container, sessionKey, signers, context, watchdog));
  } catch (error) {
    watchdog[Symbol.dispose]();
    throw error;
  }
}

async function opened(
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
    plaintext: coalesce(chunksOf(data, watchdog), OUTPUT_BYTES),
    claimedSigners: signatures.map(({ keyID }) => keyID.toHex()),
    signer: () => {
      watchdog.awaited(true);
      return watchdog.guard(firstSigner(signatures, signers));
    },
    [Symbol.asyncDispose]: async () => watchdog[Symbol.dispose](),
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
