/**
 * Finds out what the store really does, with objects of its own that are gone afterwards: whether a condition is
 * respected, whether it is atomic, whether metadata survives, whether an abort is final.
 */
import { isPluginError, PluginError } from '@octo/plugin-api';
import { storeStatus } from './classify-error.ts';
import { Crc64Nvme, crcToBytes } from '@octo/crc64nvme';
import type { Completion, S3Bucket, UploadAddress } from './s3-bucket.ts';

/** What `If-None-Match` on a completion is worth. */
export type Conditional =
  /** Checked and applied in one step. */
  | 'atomic'
  /** Checked, but of several at once more than one may win. */
  | 'racy'
  /** Not looked at. */
  | 'ignored'
  /** Answered with an error. */
  | 'refused'
  /** Not found out: the permission to delete the probe's objects is missing. */
  | 'unproven';

const CONTENDERS = 8;
const BODY = Buffer.from('octo probe');
const BODY_CRC = crcToBytes(new Crc64Nvme().update(BODY).digest()).toString('base64');

/**
 * @param folder whole key below which the probe's objects lie, unique to this probe
 * @throws PluginError `validation` when this store can not keep a sink's promises; `auth`, `network`, … as they come
 */
export async function probeStore(
  bucket: S3Bucket,
  folder: string,
  signal: AbortSignal,
): Promise<Conditional> {
  await checkAbsent(bucket, `${folder}/absent`, signal);
  if (!(await mayDelete(bucket, `${folder}/absent`, signal))) return 'unproven';
  await using probe = new Probe(bucket);
  await checkAbortIsFinal(probe, `${folder}/aborted`, signal);
  const simple = await oneAfterTheOther(probe, `${folder}/twice`, signal);
  // Awaited here, as what the probe has made is taken away when this function ends.
  return simple === 'atomic' ? await allAtOnce(probe, `${folder}/contended`, signal) : simple;
}

async function checkAbsent(bucket: S3Bucket, key: string, signal: AbortSignal): Promise<void> {
  try {
    await bucket.head(key, signal);
  } catch (error) {
    if (!isPluginError(error) || error.type !== 'not_found') throw error;
  }
}

async function mayDelete(bucket: S3Bucket, key: string, signal: AbortSignal): Promise<boolean> {
  try {
    await bucket.remove(key, signal);
    return true;
  } catch (error) {
    if (isPluginError(error) && error.code === 'ACCESS_DENIED') return false;
    throw error;
  }
}

async function checkAbortIsFinal(probe: Probe, key: string, signal: AbortSignal): Promise<void> {
  const upload = await probe.begin(key, 'aborted', signal);
  await probe.bucket.abort(upload.address, signal);
  const answer = await probe.complete(upload, 'none', signal);
  if (answer === 'won') throw unusable('an aborted upload could be completed', 'ABORT_NOT_FINAL');
}

async function oneAfterTheOther(
  probe: Probe,
  key: string,
  signal: AbortSignal,
): Promise<Conditional> {
  const first = await probe.begin(key, 'first', signal);
  const second = await probe.begin(key, 'second', signal);
  const answer = await probe.complete(first, 'empty place', signal);
  if (answer === 'not implemented') return 'refused';
  await checkMetadata(probe.bucket, key, 'first', signal);
  return (await probe.complete(second, 'empty place', signal)) === 'won' ? 'ignored' : 'atomic';
}

async function allAtOnce(probe: Probe, key: string, signal: AbortSignal): Promise<Conditional> {
  const uploads = await Promise.all(
    Array.from({ length: CONTENDERS }, (_, i) => probe.begin(key, `contender-${i}`, signal)),
  );
  const answers = await Promise.all(
    uploads.map((upload) => probe.complete(upload, 'empty place', signal)),
  );
  return answers.filter((answer) => answer === 'won').length > 1 ? 'racy' : 'atomic';
}

async function checkMetadata(
  bucket: S3Bucket,
  key: string,
  token: string,
  signal: AbortSignal,
): Promise<void> {
  const { metadata } = await bucket.head(key, signal);
  if (metadata['octo-probe'] === token) return;
  throw unusable('metadata given to a multipart upload does not come back', 'METADATA_LOST');
}

function unusable(what: string, code: string): PluginError {
  return new PluginError(
    'validation',
    `this store cannot be delivered to safely: ${what}; use another store or another of its interfaces`,
    { code },
  );
}

interface ProbeUpload {
  readonly address: UploadAddress;
  readonly etag: string;
}

/** Makes uploads and objects, and takes them away again when it is disposed. */
class Probe implements AsyncDisposable {
  readonly bucket: S3Bucket;
  readonly #uploads: UploadAddress[] = [];

  constructor(bucket: S3Bucket) {
    this.bucket = bucket;
  }

  async begin(key: string, token: string, signal: AbortSignal): Promise<ProbeUpload> {
    const id = await this.bucket.create(key, { 'octo-probe': token }, signal);
    const address = { key, id };
    this.#uploads.push(address);
    const body = {
      number: 1,
      bytes: BODY.length,
      chunks: [BODY],
      crc64nvme: BODY_CRC,
      md5: undefined,
    };
    const { etag } = await this.bucket.uploadPart(address, body, signal);
    return { address, etag };
  }

  async complete(
    { address, etag }: ProbeUpload,
    condition: Completion['condition'],
    signal: AbortSignal,
  ): Promise<'won' | 'lost' | 'not implemented'> {
    const parts = [{ number: 1, etag, crc64nvme: BODY_CRC }];
    const completion = { parts, bytes: BODY.length, crc64nvme: BODY_CRC, condition };
    try {
      await this.bucket.complete(address, completion, signal);
      return 'won';
    } catch (error) {
      const status = isPluginError(error) ? storeStatus(error.cause) : undefined;
      if (status === 501) return 'not implemented';
      if (status === 404 || status === 409 || status === 412) return 'lost';
      throw error;
    }
  }

  /** Works to the end although the probe was stopped, in the time that each request has. */
  async [Symbol.asyncDispose](): Promise<void> {
    const { signal } = new AbortController();
    const keys = new Set(this.#uploads.map(({ key }) => key));
    // Best effort: what stays is found by the sweeper, and the probe's own failure is the one to tell.
    await Promise.allSettled(this.#uploads.map((upload) => this.bucket.abort(upload, signal)));
    await Promise.allSettled([...keys].map((key) => this.bucket.remove(key, signal)));
  }
}
