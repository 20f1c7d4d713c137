import type { ConfigOf, ConfigSchema } from '@octo/plugin-api';
import type { Content, Step, StepContext, StepKind } from '../../step.ts';
import { ByteReader } from '../byte-reader.ts';
import { Growth, limitExceeded } from '../growth.ts';
import { singleContent } from '../single-content.ts';
import { withoutSuffix } from '../suffix.ts';
import { archiveInvalid } from './invalid.ts';
import type { Member } from './member.ts';
import { Spool } from './spool.ts';
import { isTar, tarMembers } from './tar.ts';
import { isZip, openZip } from './zip.ts';

const optionsSchema = {
  type: 'object',
  description:
    'Takes the files out of a zip or tar archive, recognised by content. Archives inside are not opened.',
  additionalProperties: false,
  properties: {
    members: {
      enum: ['all', 'one'],
      default: 'all',
      description:
        '"one": the archive must hold exactly one file, which is delivered under the name of the archive without its suffix. "all": every file, and a manifest of them.',
    },
    include: {
      type: 'array',
      minItems: 1,
      items: { type: 'string', minLength: 1 },
      description: 'Only files whose names end with one of these, such as ".csv". Default: all.',
    },
  },
  examples: [{}, { members: 'one', include: ['.csv'] }],
} as const satisfies ConfigSchema;

type UnpackOptions = ConfigOf<typeof optionsSchema>;

/** Takes archives apart, and refuses every one that lies about itself. */
export const unpackKind: StepKind = {
  name: 'unpack',
  optionsSchema,
  create: async (options: UnpackOptions) => new UnpackStep(options),
};

const SUFFIXES = ['.zip', '.tar'];
/** The first header of a tar archive. */
const HEAD_BYTES = 512;

class UnpackStep implements Step {
  readonly name = 'unpack';
  readonly #options: UnpackOptions;

  constructor(options: UnpackOptions) {
    this.#options = options;
  }

  rename(name: string): string {
    return this.#options.members === 'one'
      ? withoutSuffix(name, SUFFIXES)
      : `${name}.manifest.json`;
  }

  /** zip has a checksum of each file, tar has none. */
  provesIntegrity(name: string): boolean {
    return name.toLowerCase().endsWith('.zip');
  }

  async *run(content: Content, context: StepContext): AsyncGenerator<Content> {
    await using reader = new ByteReader(content.bytes);
    await using resources = new AsyncDisposableStack();
    const members = await this.#open(reader, context, resources);
    const growth = new Growth(context.limits);
    let count = 0;
    let seen = 0;
    for await (const member of members) {
      seen += 1;
      if (seen > context.limits.maxMembers) throw tooManyMembers(context);
      if (!this.#wanted(member)) continue;
      count += 1;
      if (count > 1 && this.#options.members === 'one') throw notOne();
      yield* this.#content(content, member, bounded(member.bytes(), growth, reader, context));
    }
    if (count === 0)
      throw this.#options.members === 'one' ? notOne() : noMember(this.#options.include);
  }

  async #open(
    reader: ByteReader,
    context: StepContext,
    resources: AsyncDisposableStack,
  ): Promise<Iterable<Member> | AsyncIterable<Member>> {
    const head = await reader.peek(HEAD_BYTES);
    if (isTar(head)) return tarMembers(reader);
    if (!isZip(head)) throw archiveInvalid('is neither zip nor tar');
    const spool = resources.use(await Spool.of(reader.rest(), context));
    const members = await openZip(spool.path, context.limits);
    // Known beforehand here, so that nothing is staged in vain.
    if (
      this.#options.members === 'one' &&
      members.filter((one) => this.#wanted(one)).length !== 1
    ) {
      throw notOne();
    }
    return members;
  }

  #wanted({ path }: Member): boolean {
    return this.#options.include?.some((suffix) => path.endsWith(suffix)) ?? true;
  }

  #content(
    archive: Content,
    { path }: Member,
    bytes: AsyncIterable<Uint8Array>,
  ): AsyncGenerator<Content> {
    if (this.#options.members === 'one') {
      return singleContent(this.rename(archive.name), bytes, archive.member);
    }
    return singleContent(path.slice(path.lastIndexOf('/') + 1), bytes, path);
  }
}

async function* bounded(
  bytes: AsyncIterable<Uint8Array>,
  growth: Growth,
  archive: ByteReader,
  context: StepContext,
): AsyncGenerator<Uint8Array> {
  for await (const chunk of bytes) {
    context.signal.throwIfAborted();
    growth.read = archive.taken;
    growth.wrote(chunk.length);
    yield chunk;
  }
}

function tooManyMembers({ limits }: StepContext): Error {
  return limitExceeded(`more than ${limits.maxMembers} members`, 'maxMembers');
}

function notOne(): Error {
  return archiveInvalid('does not hold exactly one file, as "members": "one" asks for');
}

function noMember(include: readonly string[] | undefined): Error {
  return archiveInvalid(
    include === undefined
      ? 'holds no file'
      : `holds no file that ends with ${include.join(' or ')}`,
  );
}
