import type { DecryptedSessionKey, PublicKey } from 'openpgp';
import type { StepContext } from '../../step.ts';
import { hasAeadMode, openAead } from './aead.ts';
import { hasCfb } from './cfb-window.ts';
import type { Container } from './envelope.ts';
import { openWithLibrary } from './library-container.ts';
import { openMessage } from './message.ts';
import { openSeipd1 } from './seipd1.ts';

/** An encrypted message that has been opened as far as its first byte of content. */
export interface Opened extends AsyncDisposable {
  /** Comes before its proof: only when it ends without error has the integrity check held. */
  readonly plaintext: AsyncIterable<Uint8Array>;
  /** Key ids that the message says it is signed by. Nothing is checked yet. */
  readonly claimedSigners: readonly string[];
  /** After the end of the plaintext: fingerprint of the first of the signers whose signature holds. */
  signer(): Promise<string | undefined>;
}

/**
 * Decrypts with node's ciphers. What it has none for (CAST5 and EAX, which hardly anybody sends) is left to openpgp.js.
 * @throws PluginError `integrity`; errors of other kinds mean the same
 */
export async function openContainer(
  container: Container,
  sessionKey: DecryptedSessionKey,
  signers: readonly PublicKey[],
  context: StepContext,
): Promise<Opened> {
  const content = await ownContent(container, sessionKey);
  if (content === undefined) return openWithLibrary(container, sessionKey, signers, context);
  return openMessage(content, signers, new Date(context.clock.now()));
}

async function ownContent(
  container: Container,
  { algorithm, data }: DecryptedSessionKey,
): Promise<AsyncIterable<Uint8Array> | undefined> {
  const { tag, version, body } = container;
  if (tag === 20 || version === 2) {
    return hasAeadMode(tag, await body.peek(4)) ? openAead(container, data) : undefined;
  }
  if (!hasCfb(algorithm ?? '')) return undefined;
  await body.take(1);
  return openSeipd1(body.rest(), algorithm as string, data);
}
