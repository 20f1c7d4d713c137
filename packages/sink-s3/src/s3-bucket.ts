/** The few requests that the sink makes, each one exchange with one bucket. Keys are whole keys. */
import { isPluginError, type CommitAnswer } from '@octo/plugin-api';
import { storeStatus, type RequestInWords, type S3Request } from './classify-error.ts';
import type { S3SinkConfig } from './config-schema.ts';
import { listUploads, type ListedUpload } from './list-uploads.ts';
import { PartStream } from './part-stream.ts';
import type { Exchange, S3Connection } from './s3-connection.ts';

export interface UploadAddress {
  readonly key: string;
  readonly id: string;
}

/** A part's bytes and what is known about them. */
export interface PartBody {
  readonly number: number;
  readonly bytes: number;
  readonly chunks: readonly Uint8Array[];
  /** Base64. */
  readonly crc64nvme: string;
  /** Base64; only when the store wants it. */
  readonly md5: string | undefined;
}

export interface UploadedPart {
  readonly etag: string;
  /** Whether nothing reads the chunks any more. */
  readonly isFlushed: boolean;
}

export interface NamedPart {
  readonly number: number;
  readonly etag: string;
  /** Base64. */
  readonly crc64nvme: string;
}

export interface Completion {
  readonly parts: readonly NamedPart[];
  readonly bytes: number;
  /** Base64. */
  readonly crc64nvme: string;
  readonly condition: { readonly ifMatch: string } | 'empty place' | 'none';
}

export interface HeadAnswer {
  readonly bytes: number;
  readonly metadata: { readonly [name: string]: string };
  readonly etag: string | undefined;
  readonly versionId: string | undefined;
  /** Base64. */
  readonly crc64nvme: string | undefined;
}

export class S3Bucket {
  readonly #connection: S3Connection;
  readonly #config: S3SinkConfig;
  readonly #timeouts: S3SinkConfig['timeouts'];

  constructor(connection: S3Connection, config: S3SinkConfig) {
    this.#connection = connection;
    this.#config = config;
    this.#timeouts = config.timeouts;
  }

  /** Begins an upload; its id. */
  async create(
    key: string,
    metadata: { readonly [name: string]: string },
    signal: AbortSignal,
  ): Promise<string> {
    const { checksums, serverSideEncryption: encryption } = this.#config;
    const input = {
      ...this.#at(key),
      Metadata: { ...metadata },
      ...(checksums === 'crc64nvme' && {
        ChecksumAlgorithm: 'CRC64NVME' as const,
        ChecksumType: 'FULL_OBJECT' as const,
      }),
      ...(encryption && { ServerSideEncryption: encryption.type }),
      ...(encryption?.kmsKeyId !== undefined && { SSEKMSKeyId: encryption.kmsKeyId }),
    };
    const answer = await this.#ask(
      'CreateMultipartUpload',
      key,
      signal,
      ({ sdk, client, options }) =>
        client.send(new sdk.CreateMultipartUploadCommand(input), options),
    );
    return answer.UploadId ?? '';
  }

  /** Sends a part. */
  async uploadPart(
    upload: UploadAddress,
    part: PartBody,
    signal: AbortSignal,
  ): Promise<UploadedPart> {
    const { checksums } = this.#config;
    const input = {
      ...this.#at(upload.key),
      UploadId: upload.id,
      PartNumber: part.number,
      ContentLength: part.bytes,
      ...(checksums === 'crc64nvme' && { ChecksumCRC64NVME: part.crc64nvme }),
      ...(part.md5 !== undefined && { ContentMD5: part.md5 }),
    };
    const streams: PartStream[] = [];
    const send = ({ sdk, client, options }: Exchange) => {
      // A stream can be sent once only, so each try has its own; the chunks are shared.
      const stream = new PartStream(part.chunks);
      streams.push(stream);
      const Body = part.bytes === 0 ? new Uint8Array(0) : stream;
      return client.send(new sdk.UploadPartCommand({ ...input, Body }), options);
    };
    const answer = await this.#ask('UploadPart', upload.key, signal, send, this.#timeouts.partMs);
    return { etag: answer.ETag ?? '', isFlushed: streams.every((stream) => stream.isFlushed) };
  }

  /**
   * Makes an upload visible. Sent once: an unclear answer is the host's to judge.
   * @throws PluginError also for a condition that did not hold
   */
  async complete(
    upload: UploadAddress,
    completion: Completion,
    signal: AbortSignal,
  ): Promise<CommitAnswer & { readonly outcome: 'committed' }> {
    const whole = this.#config.checksums === 'crc64nvme';
    const { condition } = completion;
    const input = {
      ...this.#at(upload.key),
      UploadId: upload.id,
      MultipartUpload: {
        Parts: completion.parts.map((part) => ({
          PartNumber: part.number,
          ETag: part.etag,
          ...(whole && { ChecksumCRC64NVME: part.crc64nvme }),
        })),
      },
      MpuObjectSize: completion.bytes,
      ...(whole && {
        ChecksumCRC64NVME: completion.crc64nvme,
        ChecksumType: 'FULL_OBJECT' as const,
      }),
      ...(condition === 'empty place' && { IfNoneMatch: '*' }),
      ...(typeof condition === 'object' && { IfMatch: condition.ifMatch }),
    };
    const answer = await this.#ask(
      'CompleteMultipartUpload',
      upload.key,
      signal,
      ({ sdk, client, options }) =>
        client.send(new sdk.CompleteMultipartUploadCommand(input), options),
      this.#timeouts.completeMs,
    );
    return {
      outcome: 'committed',
      ...(answer.ETag !== undefined && { etag: answer.ETag }),
      ...(answer.VersionId !== undefined && { versionId: answer.VersionId }),
    };
  }

  async abort(upload: UploadAddress, signal: AbortSignal): Promise<void> {
    const input = { ...this.#at(upload.key), UploadId: upload.id };
    await this.#ask('AbortMultipartUpload', upload.key, signal, ({ sdk, client, options }) =>
      client.send(new sdk.AbortMultipartUploadCommand(input), options),
    );
  }

  /** @throws PluginError `not_found` when nothing is there */
  async head(key: string, signal: AbortSignal): Promise<HeadAnswer> {
    try {
      return await this.#headOnce(key, signal);
    } catch (error) {
      const status = isPluginError(error) ? storeStatus(error.cause) : undefined;
      if (status !== 400 && status !== 403) throw error;
    }
    // A refusal of HEAD has no body and so no reason. A listing tells it, and renews credentials if that is all.
    await this.list(key, signal);
    return this.#headOnce(key, signal);
  }

  async #headOnce(key: string, signal: AbortSignal): Promise<HeadAnswer> {
    const withChecksum = this.#config.checksums === 'crc64nvme';
    const input = {
      ...this.#at(key),
      ...(withChecksum && { ChecksumMode: 'ENABLED' as const }),
    };
    const answer = await this.#ask('HeadObject', key, signal, ({ sdk, client, options }) =>
      client.send(new sdk.HeadObjectCommand(input), options),
    );
    return {
      bytes: answer.ContentLength ?? 0,
      metadata: answer.Metadata ?? {},
      etag: answer.ETag,
      versionId: answer.VersionId,
      crc64nvme: answer.ChecksumType === 'FULL_OBJECT' ? answer.ChecksumCRC64NVME : undefined,
    };
  }

  /** Replaces the tags of an object. */
  async tag(
    key: string,
    tags: { readonly [name: string]: string },
    signal: AbortSignal,
  ): Promise<void> {
    const TagSet = Object.entries(tags).map(([Key, Value]) => ({ Key, Value }));
    const input = { ...this.#at(key), Tagging: { TagSet } };
    await this.#ask('PutObjectTagging', key, signal, ({ sdk, client, options }) =>
      client.send(new sdk.PutObjectTaggingCommand(input), options),
    );
  }

  async remove(key: string, signal: AbortSignal): Promise<void> {
    await this.#ask('DeleteObject', key, signal, ({ sdk, client, options }) =>
      client.send(new sdk.DeleteObjectCommand(this.#at(key)), options),
    );
  }

  /** Asks for at most one key: whether the bucket is there and may be listed. */
  async list(prefix: string, signal: AbortSignal): Promise<void> {
    const input = { Bucket: this.#config.bucket, Prefix: prefix, MaxKeys: 1 };
    await this.#ask('ListObjectsV2', undefined, signal, ({ sdk, client, options }) =>
      client.send(new sdk.ListObjectsV2Command(input), options),
    );
  }

  /** The first thousand objects under the prefix, which is more than enough for what only the sink itself puts there. */
  async objects(
    prefix: string,
    signal: AbortSignal,
  ): Promise<readonly { readonly key: string; readonly modifiedMs: number }[]> {
    const input = { Bucket: this.#config.bucket, Prefix: prefix };
    const page = await this.#ask('ListObjectsV2', undefined, signal, ({ sdk, client, options }) =>
      client.send(new sdk.ListObjectsV2Command(input), options),
    );
    return (page.Contents ?? []).map(({ Key = '', LastModified }) => ({
      key: Key,
      modifiedMs: LastModified?.getTime() ?? 0,
    }));
  }

  /** Every upload under the prefix that is neither completed nor aborted. */
  uploads(prefix: string, signal: AbortSignal): AsyncGenerator<ListedUpload> {
    const fixed = { Bucket: this.#config.bucket, Prefix: prefix, EncodingType: 'url' as const };
    return listUploads((marker) =>
      this.#ask('ListMultipartUploads', undefined, signal, ({ sdk, client, options }) =>
        client.send(new sdk.ListMultipartUploadsCommand({ ...fixed, ...marker }), options),
      ),
    );
  }

  #at(key: string): { readonly Bucket: string; readonly Key: string } {
    return { Bucket: this.#config.bucket, Key: key };
  }

  #ask<T>(
    request: S3Request,
    key: string | undefined,
    signal: AbortSignal,
    work: (exchange: Exchange) => Promise<T>,
    deadlineMs: number = this.#timeouts.requestMs,
  ): Promise<T> {
    const inWords: RequestInWords = { request, bucket: this.#config.bucket, key };
    return this.#connection.ask(inWords, deadlineMs, work, signal);
  }
}
