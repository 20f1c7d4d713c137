/**
 * A strict S3 on loopback: signatures, checksums, conditions and multipart rules as the real one has them, with faults on
 * order and a view of everything that is stored. For tests, demos and benchmarks.
 */
import { createHash } from 'node:crypto';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { answerCall, type SeenRequest } from './answer-call.ts';
import { BlobStore, readBlobs, type Keep } from './blob.ts';
import { byKey } from './bucket-operations.ts';
import { sortedParts } from './multipart-operations.ts';
import type { S3Behaviour } from './s3-call.ts';
import type { ObjectChecksum } from './s3-checksum.ts';
import { S3Faults } from './s3-faults.ts';
import { S3Store, type StoredObject } from './s3-store.ts';
import type { S3Credentials } from './sigv4.ts';

export interface S3Options {
  /** Default: a free port. */
  readonly port?: number;
  /** Default `us-east-1`. */
  readonly region?: string;
  /** Default: one pair made for tests. */
  readonly credentials?: S3Credentials;
  readonly buckets?: readonly string[];
  /** Default: the machine's clock. */
  readonly clock?: { now(): number };
  /** Where bytes are kept. Default `memory`. With `hash` nothing can be read back, and ETags are opaque. */
  readonly keep?: Keep;
  /** The parent of the folder that `keep: 'disk'` makes. Default: the system's. */
  readonly folder?: string;
  /** Default 5 MiB, as S3. */
  readonly minPartBytes?: number;
  readonly conditionalWrites?: S3Behaviour['conditionalWrites'];
  readonly completedAgain?: S3Behaviour['completedAgain'];
  readonly checksums?: S3Behaviour['checksums'];
  readonly dropsMultipartMetadata?: boolean;
}

/** An object as it lies in the store, seen from behind the counter. */
export interface S3ObjectView {
  readonly key: string;
  readonly bytes: number;
  readonly etag: string;
  readonly metadata: { readonly [name: string]: string };
  readonly tags: { readonly [name: string]: string };
  /** Encryption and content headers. */
  readonly headers: { readonly [name: string]: string };
  readonly checksum: ObjectChecksum;
  readonly parts: number;
  content(): Promise<Buffer>;
  /** Hex. */
  sha256(): Promise<string>;
}

export interface S3UploadView {
  readonly key: string;
  readonly id: string;
  readonly startedMs: number;
  readonly parts: readonly { readonly number: number; readonly bytes: number }[];
}

export interface S3Simulator extends AsyncDisposable {
  /** `http://127.0.0.1:…`; path style. */
  readonly endpoint: string;
  readonly port: number;
  readonly region: string;
  readonly credentials: S3Credentials;
  readonly faults: S3Faults;
  /** Every request so far, oldest first. */
  readonly requests: readonly SeenRequest[];
  /** Permissions such as `s3:PutObject` that are refused. Change it at will. */
  readonly denied: Set<string>;
  createBucket(name: string): void;
  /** Further credentials that are good. */
  addCredentials(credentials: S3Credentials): void;
  /** From now on this session token is refused with ExpiredToken. */
  expireToken(sessionToken: string): void;
  objects(bucket: string): readonly S3ObjectView[];
  object(bucket: string, key: string): S3ObjectView | undefined;
  uploads(bucket: string): readonly S3UploadView[];
  /** Changes the behaviour of the running store. */
  behave(
    change: Pick<
      S3Options,
      'conditionalWrites' | 'completedAgain' | 'checksums' | 'dropsMultipartMetadata'
    >,
  ): void;
}

const TEST_CREDENTIALS: S3Credentials = {
  accessKeyId: 'AKIAOCTOTESTOCTOTEST',
  secretAccessKey: 'octo/test/secret/octo/test/secret/octo/t',
};

export async function startS3(options: S3Options = {}): Promise<S3Simulator> {
  const keep = options.keep ?? 'memory';
  const denied = new Set<string>();
  const store = new S3Store();
  const clock = options.clock ?? Date;
  let s3: S3Behaviour = {
    region: options.region ?? 'us-east-1',
    now: () => clock.now(),
    blobs: new BlobStore(keep, options.folder),
    store,
    minPartBytes: options.minPartBytes ?? 5 * 1024 ** 2,
    conditionalWrites: options.conditionalWrites ?? 'atomic',
    completedAgain: options.completedAgain ?? 'same-answer',
    checksums: options.checksums ?? 'validated',
    dropsMultipartMetadata: options.dropsMultipartMetadata ?? false,
    md5Etags: keep !== 'hash',
    denied,
  };
  const credentials = [options.credentials ?? TEST_CREDENTIALS];
  const expiredTokens = new Set<string>();
  const faults = new S3Faults();
  const requests: SeenRequest[] = [];
  for (const name of options.buckets ?? []) store.createBucket(name, s3.now());
  const note = (request: SeenRequest): void => void requests.push(request);
  const server = createServer(
    { requestTimeout: 0, keepAliveTimeout: 60_000 },
    (stream, response) => {
      answerCall({ s3, credentials, expiredTokens, faults, note }, stream, response).catch(() => {
        stream.socket.destroy();
      });
    },
  );
  const port = await listen(server, options.port ?? 0);
  return {
    endpoint: `http://127.0.0.1:${port}`,
    port,
    region: s3.region,
    credentials: credentials[0] as S3Credentials,
    faults,
    requests,
    denied,
    createBucket: (name) => void store.createBucket(name, s3.now()),
    addCredentials: (more) => void credentials.push(more),
    expireToken: (token) => void expiredTokens.add(token),
    objects: (bucket) => [...store.bucket(bucket).objects.values()].toSorted(byKey).map(viewOf),
    object(bucket, key) {
      const object = store.bucket(bucket).objects.get(key);
      return object && viewOf(object);
    },
    uploads: (bucket) => uploadsOf(store, bucket),
    behave(change) {
      s3 = { ...s3, ...change };
    },
    async [Symbol.asyncDispose]() {
      await close(server);
      await s3.blobs[Symbol.asyncDispose]();
    },
  };
}

function listen(server: Server, port: number): Promise<number> {
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, '127.0.0.1', () => resolve((server.address() as AddressInfo).port));
  });
}

function close(server: Server): Promise<void> {
  return new Promise((resolve) => {
    server.close(() => resolve());
    server.closeAllConnections();
  });
}

function viewOf(object: StoredObject): S3ObjectView {
  const { key, bytes, etag, metadata, tags, headers, checksum, blobs } = object;
  return {
    key,
    bytes,
    etag,
    metadata,
    tags,
    headers,
    checksum,
    parts: blobs.length,
    async content() {
      const chunks: Uint8Array[] = [];
      for await (const chunk of readBlobs(blobs, 0, bytes)) chunks.push(chunk);
      return Buffer.concat(chunks);
    },
    async sha256() {
      const hash = createHash('sha256');
      for await (const chunk of readBlobs(blobs, 0, bytes)) hash.update(chunk);
      return hash.digest('hex');
    },
  };
}

function uploadsOf(store: S3Store, bucket: string): S3UploadView[] {
  return [...store.bucket(bucket).uploads.values()].map((upload) => ({
    key: upload.key,
    id: upload.id,
    startedMs: upload.startedMs,
    parts: sortedParts(upload).map(({ number, bytes }) => ({ number, bytes })),
  }));
}
