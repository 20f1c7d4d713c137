import type { ConfigOf, ConfigSchema } from '@octo/plugin-api';
import type { Content, Step, StepContext, StepKind } from '../../step.ts';
import { singleContent } from '../single-content.ts';

const optionsSchema = {
  type: 'object',
  description:
    "Takes a file out of the vendor's own envelope, as far as the provider knows one; keys for it are the provider's settings. What has no envelope passes unchanged.",
  additionalProperties: false,
  properties: {},
  examples: [{}],
} as const satisfies ConfigSchema;

/** Asks the provider to open what only its vendor seals. */
export const decodeKind: StepKind = {
  name: 'decode',
  optionsSchema,
  create: async (_options: ConfigOf<typeof optionsSchema>) => new DecodeStep(),
};

class DecodeStep implements Step {
  readonly name = 'decode';

  rename(name: string): string {
    return name;
  }

  /** Nothing is known of an envelope here; what it holds is for `verify` to prove. */
  provesIntegrity(): boolean {
    return false;
  }

  run(content: Content, context: StepContext): AsyncIterable<Content> {
    const decode = context.decode();
    const bytes = decode === undefined ? content.bytes : decode(content.bytes);
    return singleContent(content.name, stoppable(bytes, context.signal), content.member);
  }
}

async function* stoppable(
  bytes: AsyncIterable<Uint8Array>,
  signal: AbortSignal,
): AsyncGenerator<Uint8Array> {
  for await (const chunk of bytes) {
    signal.throwIfAborted();
    yield chunk;
  }
}
