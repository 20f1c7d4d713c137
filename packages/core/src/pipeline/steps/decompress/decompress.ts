import { createZstdDecompress } from 'node:zlib';
import { PluginError, type ConfigOf, type ConfigSchema } from '@octo/plugin-api';
import type { Content, Step, StepContext, StepKind } from '../../step.ts';
import { ByteReader } from '../byte-reader.ts';
import { coalesce } from '../coalesce.ts';
import { Growth } from '../growth.ts';
import { singleContent } from '../single-content.ts';
import { withoutSuffix } from '../suffix.ts';
import { bunzip2Stream } from './bzip2.ts';
import { ENGINE_CHUNK, throughEngine } from './engine.ts';
import { decompressFailed } from './failed.ts';
import { gunzipMember } from './gzip.ts';

const optionsSchema = {
  type: 'object',
  description:
    'Undoes one layer of compression, recognised by content. A file that is not compressed, and is not named as if it were, passes unchanged.',
  additionalProperties: false,
  properties: {
    formats: {
      type: 'array',
      minItems: 1,
      uniqueItems: true,
      items: { enum: ['gzip', 'zstd', 'bzip2'] },
      default: ['gzip', 'zstd', 'bzip2'],
      description: 'The formats to undo. Others pass as they are.',
    },
    multiMember: {
      type: 'boolean',
      default: false,
      description:
        'Accept a file of several gzip members or bzip2 streams one after the other, as parallel compressors write. zstd is made of frames anyway.',
    },
  },
  examples: [{}, { formats: ['gzip'], multiMember: true }],
} as const satisfies ConfigSchema;

type DecompressOptions = ConfigOf<typeof optionsSchema>;

/** Undoes gzip, zstd or bzip2, and refuses what is cut off, damaged or followed by anything. */
export const decompressKind: StepKind = {
  name: 'decompress',
  optionsSchema,
  create: async (options: DecompressOptions) => new DecompressStep(options),
};

interface Format {
  readonly suffix: string;
  /** Whether `head`, the first bytes of a file, begin it. */
  begins(head: Uint8Array): boolean;
  /** One member, up to its end. */
  member(reader: ByteReader): AsyncIterable<Uint8Array>;
}

const FORMATS: { readonly [name in DecompressOptions['formats'][number]]: Format } = {
  gzip: {
    suffix: '.gz',
    begins: ([a, b]) => a === 0x1f && b === 0x8b,
    member: gunzipMember,
  },
  zstd: {
    suffix: '.zst',
    begins: ([a, b, c, d]) =>
      (a === 0x28 && b === 0xb5 && c === 0x2f && d === 0xfd) ||
      (((a ?? 0) & 0xf0) === 0x50 && b === 0x2a && c === 0x4d && d === 0x18),
    member: (reader) => throughEngine(createZstdDecompress(ENGINE_CHUNK), reader),
  },
  bzip2: {
    suffix: '.bz2',
    begins: (head) =>
      /^425a683[1-9](?:314159265359|177245385090)/.test(Buffer.from(head).toString('hex')),
    member: bunzip2Stream,
  },
};

const HEAD_BYTES = 10;
const INPUT_BYTES = 64 * 1024;

class DecompressStep implements Step {
  readonly name = 'decompress';
  readonly #formats: readonly Format[];
  readonly #multiMember: boolean;

  constructor({ formats, multiMember }: DecompressOptions) {
    this.#formats = formats.map((name) => FORMATS[name]);
    this.#multiMember = multiMember;
  }

  rename(name: string): string {
    return withoutSuffix(
      name,
      this.#formats.map(({ suffix }) => suffix),
    );
  }

  /** What is named as compressed passes only with a right checksum; the rest passes as it is. */
  provesIntegrity(name: string): boolean {
    return this.rename(name) !== name;
  }

  run(content: Content, context: StepContext): AsyncIterable<Content> {
    return singleContent(this.rename(content.name), this.#plain(content, context), content.member);
  }

  async *#plain(content: Content, context: StepContext): AsyncGenerator<Uint8Array> {
    await using reader = new ByteReader(coalesce(content.bytes, INPUT_BYTES));
    const head = await reader.peek(HEAD_BYTES);
    const format = this.#formats.find((one) => one.begins(head));
    if (format === undefined) {
      if (this.rename(content.name) !== content.name) throw notCompressed(content.name);
      yield* reader.rest();
      return;
    }
    const growth = new Growth(context.limits);
    for await (const chunk of this.#members(format, reader)) {
      context.signal.throwIfAborted();
      growth.read = reader.taken;
      growth.wrote(chunk.length);
      yield chunk;
    }
  }

  async *#members(format: Format, reader: ByteReader): AsyncGenerator<Uint8Array> {
    let next: Uint8Array;
    do {
      yield* format.member(reader);
      next = await reader.peek(HEAD_BYTES);
    } while (this.#multiMember && format.begins(next));
    if (next.length === 0) return;
    throw format.begins(next)
      ? decompressFailed('has several members', undefined, SEVERAL)
      : decompressFailed('is followed by other bytes');
  }
}

const SEVERAL = 'ask the vendor, or set "multiMember" if that is how the vendor writes';

function notCompressed(name: string): PluginError {
  return new PluginError(
    'integrity',
    `${name} is named as if it were compressed, but is not; ask the vendor which is right`,
    { code: 'DECOMPRESS_FAILED' },
  );
}
