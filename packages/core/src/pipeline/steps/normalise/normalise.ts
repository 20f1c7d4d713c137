import { createReadStream } from 'node:fs';
import type { ConfigOf, ConfigSchema, Tabulation } from '@octo/plugin-api';
import type { Content, Step, StepContext, StepKind } from '../../step.ts';
import { singleContent } from '../single-content.ts';
import { SpoolFile } from '../spool-file.ts';
import { CsvTable } from './csv-table.ts';
import type { TableWriter } from './table-writer.ts';

const optionsSchema = {
  type: 'object',
  description:
    'Delivers the file as it is and, beside it, the table that the provider reads from it, with a manifest of both. Stands last.',
  required: ['as'],
  additionalProperties: false,
  properties: {
    as: {
      enum: ['csv', 'parquet'],
      description: 'The form of the table. Every column is text, as the vendor wrote it.',
    },
  },
  examples: [{ as: 'csv' }, { as: 'parquet' }],
} as const satisfies ConfigSchema;

type NormaliseOptions = ConfigOf<typeof optionsSchema>;

/** Writes a table beside the vendor's file, which is always kept. */
export const normaliseKind: StepKind = {
  name: 'normalise',
  optionsSchema,
  create: async ({ as }: NormaliseOptions) => new NormaliseStep(as, await writerOf(as)),
};

class NormaliseStep implements Step {
  readonly name = 'normalise';
  readonly #suffix: string;
  readonly #makeWriter: () => TableWriter;

  constructor(as: NormaliseOptions['as'], makeWriter: () => TableWriter) {
    this.#suffix = `.normalised.${as}`;
    this.#makeWriter = makeWriter;
  }

  rename(name: string): string {
    return `${name}.manifest.json`;
  }

  provesIntegrity(): boolean {
    return false;
  }

  async *run(content: Content, context: StepContext): AsyncGenerator<Content> {
    const { name, bytes, member = name } = content;
    const tabulation = context.normalise();
    if (tabulation === undefined) {
      context.warn('the provider reads no table from this file: only the file itself is there');
      yield* singleContent(name, bytes, member);
      return;
    }
    await using file = await SpoolFile.create(context.spoolFolder);
    const table = { tabulation, writer: this.#makeWriter(), file };
    yield* singleContent(name, tabulated(bytes, table, context.signal), member);
    yield* singleContent(
      `${name}${this.#suffix}`,
      createReadStream(file.path, { highWaterMark: READ_BYTES }),
      `${member}${this.#suffix}`,
    );
  }
}

const READ_BYTES = 256 * 1024;

interface Table {
  readonly tabulation: Tabulation;
  readonly writer: TableWriter;
  readonly file: SpoolFile;
}

/** The same bytes; while they flow by, the table is written, and is whole when they have ended. */
async function* tabulated(
  bytes: AsyncIterable<Uint8Array>,
  { tabulation, writer, file }: Table,
  signal: AbortSignal,
): AsyncGenerator<Uint8Array> {
  for await (const chunk of bytes) {
    signal.throwIfAborted();
    const rows = tabulation.write(chunk);
    if (rows.length > 0) await file.write(writer.write(columnsOf(tabulation), rows));
    yield chunk;
  }
  const rows = tabulation.finish();
  await file.write(writer.write(columnsOf(tabulation), rows));
  await file.write(writer.finish(columnsOf(tabulation)));
}

function columnsOf({ columns }: Tabulation): readonly string[] {
  if (columns === undefined) throw new Error('the provider hands on rows and names no columns');
  return columns;
}

/** The writer of Parquet is loaded only where it is wanted. */
async function writerOf(as: NormaliseOptions['as']): Promise<() => TableWriter> {
  if (as === 'csv') return () => new CsvTable();
  const { ParquetTable } = await import('./parquet-table.ts');
  return () => new ParquetTable();
}
