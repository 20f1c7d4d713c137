// Two small vendors on loopback, a real SFTP server with settlement files and Bloomberg's REST API, and a store that
// speaks S3.
import { stat } from 'node:fs/promises';
import { connect } from 'node:net';
import { join } from 'node:path';
import { receivingKey, startS3, startSftp } from '@octo/plugin-testing';
import { startBloomberg } from './bloomberg.mjs';
import { keep, kept, keptKey, textOf } from './keep.mjs';
import { reissue, settlementSet } from './settlement-set.mjs';

const BUCKET = 'octo-demo';
const OUTBOUND = 'vendor/outbound';

/**
 * Publishes the settlement set, and writes into `folder` what a client has to know: `port`, `host-key`, `client-key`,
 * `openpgp-private.asc`, `s3-endpoint`, `s3-access-key-id`, `s3-secret-access-key`, and what {@link startBloomberg} writes.
 *
 * @param {string} folder
 * @param {{ reissueAfterMs?: number, onReissue?: (name: string) => void }} [options] how long after it was first fetched
 *   what was wrong is issued again, by either vendor
 * @returns {Promise<AsyncDisposable & { port: number, outbound: string, bloombergUrl: string }>}
 */
export async function startVendor(folder, { reissueAfterMs = 5_000, onReissue } = {}) {
  const hostKey = await keptKey(folder, 'vendor-host-key');
  const clientKey = await keptKey(folder, 'client-key');
  await kept(folder, 'openpgp-private.asc', () => receivingKey.privateKey);
  for (const file of await settlementSet()) await publishOnce(folder, file);
  const correction = await correctionOf(folder, { reissueAfterMs, onReissue });
  const sftp = await startSftp({
    root: join(folder, 'vendor'),
    hostKeys: [hostKey.privateKey],
    users: [{ username: 'octo', publicKeys: [clientKey.line] }],
    faults: { before: correction.watch },
  });
  const s3 = await startS3({ buckets: [BUCKET] });
  const bloomberg = await startBloomberg(folder, {
    correctAfterMs: reissueAfterMs,
    onCorrection: onReissue,
  });
  await keep(folder, 'host-key', sftp.hostKeys[0]);
  await keep(folder, 's3-endpoint', s3.endpoint);
  await keep(folder, 's3-access-key-id', s3.credentials.accessKeyId);
  await keep(folder, 's3-secret-access-key', s3.credentials.secretAccessKey);
  await keep(folder, 'port', `${sftp.port}`);
  return {
    port: sftp.port,
    bloombergUrl: bloomberg.url,
    outbound: join(folder, OUTBOUND),
    async [Symbol.asyncDispose]() {
      correction.stop();
      await sftp[Symbol.asyncDispose]();
      await s3[Symbol.asyncDispose]();
      await bloomberg[Symbol.asyncDispose]();
    },
  };
}

/** Whether the vendor of another process is at work for this folder. */
export async function vendorRuns(folder) {
  const port = Number(await textOf(folder, 'port'));
  if (!Number.isInteger(port) || port === 0) return false;
  return await new Promise((resolve) => {
    const socket = connect({ host: '127.0.0.1', port, timeout: 1_000 });
    const tell = (answer) => () => {
      socket.destroy();
      resolve(answer);
    };
    socket.on('connect', tell(true)).on('error', tell(false)).on('timeout', tell(false));
  });
}

/** Leaves a file alone that is there already: it may be the corrected one, or yours. */
async function publishOnce(folder, { name, bytes, mtime }) {
  const path = `${OUTBOUND}/${name}`;
  if ((await timeOf(folder, path)) === undefined) await keep(folder, path, bytes, mtime);
}

async function timeOf(folder, path) {
  try {
    return (await stat(join(folder, path))).mtimeMs;
  } catch (error) {
    if (error.code === 'ENOENT') return undefined;
    throw error;
  }
}

/** Issues the wrong file again some time after somebody has fetched it. */
async function correctionOf(folder, { reissueAfterMs, onReissue = () => {} }) {
  const { name, bytes, mtime } = await reissue();
  const path = `${OUTBOUND}/${name}`;
  const publish = async () => {
    if ((await timeOf(folder, path)) === mtime.getTime()) return;
    await keep(folder, path, bytes, mtime);
    onReissue(name);
  };
  let timer;
  return {
    watch: (operation) => {
      if (operation.name !== 'CLOSE' || !operation.path.endsWith(`/${name}`)) return;
      timer ??= setTimeout(() => void publish(), reissueAfterMs);
    },
    stop: () => clearTimeout(timer),
  };
}
