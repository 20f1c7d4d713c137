import { PluginError, type ConfigOf, type ConfigSchema } from '@octo/plugin-api';
import type { Content, Step, StepContext, StepKind } from '../../step.ts';
import { singleContent } from '../single-content.ts';
import { countLineCheck, rowCheck, trailerCheck, type LineCheck } from './checks.ts';
import { LineScanner } from './line-scanner.ts';

const marker = { type: 'string', minLength: 1, maxLength: 1000 } as const;

const optionsSchema = {
  type: 'object',
  description:
    'Holds the plain content against what the vendor promises. Lines may end with LF or CRLF; empty ones do not count.',
  additionalProperties: false,
  properties: {
    minBytes: { type: 'integer', minimum: 0, description: 'Refuse a file with fewer bytes.' },
    rows: {
      type: 'object',
      description: 'How many lines the file must have. Line ends inside quotes count, too.',
      additionalProperties: false,
      properties: {
        min: { type: 'integer', minimum: 0 },
        max: { type: 'integer', minimum: 0 },
        header: { type: 'boolean', default: false, description: 'The first line is no row.' },
      },
    },
    trailer: { ...marker, description: 'What the last line is, or begins with.' },
    countLine: {
      type: 'object',
      description:
        'The rows between the lines "start" and "end" must be as many as the number after "count".',
      required: ['start', 'end', 'count'],
      additionalProperties: false,
      properties: { start: marker, end: marker, count: marker },
    },
    provider: {
      type: 'boolean',
      default: true,
      description: "Ask the provider, too: it knows its vendor's totals and trailers.",
    },
  },
  examples: [
    {},
    {
      trailer: 'END-OF-FILE',
      countLine: { start: 'START-OF-DATA', end: 'END-OF-DATA', count: 'DATARECORDS=' },
    },
  ],
} as const satisfies ConfigSchema;

type VerifyOptions = ConfigOf<typeof optionsSchema>;

/** Lets the content pass unchanged, and ends without error only when it kept what the vendor promised. */
export const verifyKind: StepKind = {
  name: 'verify',
  optionsSchema,
  create: async (options: VerifyOptions) => new VerifyStep(options),
};

class VerifyStep implements Step {
  readonly name = 'verify';
  readonly #options: VerifyOptions;

  constructor(options: VerifyOptions) {
    this.#options = options;
  }

  rename(name: string): string {
    return name;
  }

  /** A trailer or a declared count is the vendor's own mark of a whole file; rows that add up are not. */
  provesIntegrity(): boolean {
    return this.#options.trailer !== undefined || this.#options.countLine !== undefined;
  }

  run(content: Content, context: StepContext): AsyncIterable<Content> {
    return singleContent(content.name, this.#checked(content, context), content.member);
  }

  async *#checked(content: Content, context: StepContext): AsyncGenerator<Uint8Array> {
    const inspection = this.#options.provider ? context.inspect() : undefined;
    const checks = this.#lineChecks();
    const lines =
      checks.length === 0
        ? undefined
        : new LineScanner((line) => checks.forEach((check) => check.line(line)));
    let bytes = 0;
    for await (const chunk of content.bytes) {
      context.signal.throwIfAborted();
      bytes += chunk.length;
      inspection?.write(chunk);
      lines?.write(chunk);
      yield chunk;
    }
    this.#expectBytes(bytes);
    lines?.finish();
    for (const check of checks) context.remember(check.finish());
    const result = inspection?.finish();
    if (result !== undefined) context.remember(result.facts);
    result?.warnings.forEach((warning) => context.warn(warning));
  }

  #lineChecks(): readonly LineCheck[] {
    const { rows, trailer, countLine } = this.#options;
    return [
      ...(trailer === undefined ? [] : [trailerCheck(trailer)]),
      ...(countLine === undefined ? [] : [countLineCheck(countLine)]),
      ...(rows === undefined ? [] : [rowCheck(rows)]),
    ];
  }

  #expectBytes(bytes: number): void {
    const { minBytes = 0 } = this.#options;
    if (bytes >= minBytes) return;
    throw new PluginError(
      'integrity',
      `the file has ${bytes} bytes where at least ${minBytes} are expected; ask the vendor, or change "minBytes"`,
      { code: 'TOO_SMALL' },
    );
  }
}
