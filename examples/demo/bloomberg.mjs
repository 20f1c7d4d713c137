// A small Bloomberg on loopback: Data License over REST.
import { startBloombergRest } from '@octo/plugin-testing';
import { keep, textOf } from './keep.mjs';
import { correction, priceReplies } from './price-replies.mjs';

/**
 * Publishes the replies, and writes into `folder` what a client has to know: `bloomberg-endpoint` and
 * `bloomberg-credential.txt`, as console.bloomberg.com would give it out.
 *
 * @param {string} folder
 * @param {{ correctAfterMs?: number, onCorrection?: (key: string) => void }} [options] how long after they were first
 *   fetched the prices that were wrong are issued again
 * @returns {Promise<AsyncDisposable & { url: string }>}
 */
export async function startBloomberg(folder, { correctAfterMs = 5_000, onCorrection } = {}) {
  const rest = await startBloombergRest({ account: '1234567' });
  for (const reply of priceReplies()) rest.publish(reply);
  const corrected = await correctionOf(folder, rest, { correctAfterMs, onCorrection });
  await keep(folder, 'bloomberg-credential.txt', JSON.stringify(rest.credential));
  await keep(folder, 'bloomberg-endpoint', rest.url);
  return {
    url: rest.url,
    async [Symbol.asyncDispose]() {
      corrected.stop();
      await rest[Symbol.asyncDispose]();
    },
  };
}

/** Issues the wrong prices again some time after somebody has fetched them; once in the life of the folder. */
async function correctionOf(folder, rest, { correctAfterMs, onCorrection = () => {} }) {
  const again = correction();
  if ((await textOf(folder, MARK)) !== undefined) {
    rest.publish(again);
    return { stop: () => {} };
  }
  const publish = async () => {
    rest.publish(again);
    await keep(folder, MARK, again.key);
    onCorrection(again.key);
  };
  let timer;
  const looking = setInterval(() => {
    if (!rest.calls.some(({ path, status }) => path.endsWith(again.key) && status < 300)) return;
    clearInterval(looking);
    timer = setTimeout(() => void publish(), correctAfterMs);
  }, LOOK_MS);
  return {
    stop: () => {
      clearInterval(looking);
      clearTimeout(timer);
    },
  };
}

/** That the correction was issued: the server forgets everything when it stops, the ledger does not. */
const MARK = 'bloomberg-corrected';
const LOOK_MS = 200;
