import { ByteWriter, ParquetWriter, type SchemaElement } from 'hyparquet-writer';
import type { TableRow } from '@octo/plugin-api';
import type { TableWriter } from './table-writer.ts';

/**
 * Parquet with a column of text, compressed by Snappy, for each column of the table: what a number or a date is, the vendor's
 * documentation says and not its files. Holds one row group at most.
 */
export class ParquetTable implements TableWriter {
  readonly #bytes = new ByteWriter();
  #file: ParquetWriter | undefined;
  #rows: TableRow[] = [];
  #characters = 0;

  write(columns: readonly string[], rows: readonly TableRow[]): Uint8Array {
    for (const row of rows) {
      this.#rows.push(row);
      for (const cell of row) this.#characters += cell?.length ?? 0;
      if (this.#rows.length >= MAX_GROUP_ROWS || this.#characters >= MAX_GROUP_CHARACTERS)
        this.#group(columns);
    }
    return this.#taken();
  }

  finish(columns: readonly string[]): Uint8Array {
    this.#group(columns);
    // Nothing here waits: the writer below is memory.
    void this.#opened(columns).finish();
    return this.#taken();
  }

  #group(columns: readonly string[]): void {
    if (this.#rows.length === 0) return;
    const columnData = columns.map((name, i) => ({
      name,
      data: this.#rows.map((row) => row[i] ?? null),
    }));
    void this.#opened(columns).write({ columnData, rowGroupSize: this.#rows.length });
    this.#rows = [];
    this.#characters = 0;
  }

  #opened(columns: readonly string[]): ParquetWriter {
    this.#file ??= new ParquetWriter({
      writer: this.#bytes,
      schema: schemaOf(columns),
      createdBy: 'octo',
    });
    return this.#file;
  }

  #taken(): Uint8Array {
    const bytes = this.#bytes.getBytes().slice();
    // What was taken is not kept; offsets count on.
    this.#bytes.index = 0;
    return bytes;
  }
}

/** Few enough that all columns of a group fit into memory, many enough that they compress. */
const MAX_GROUP_CHARACTERS = 8 * 1024 * 1024;
const MAX_GROUP_ROWS = 100_000;

function schemaOf(columns: readonly string[]): SchemaElement[] {
  const text = { type: 'BYTE_ARRAY', converted_type: 'UTF8', repetition_type: 'OPTIONAL' } as const;
  return [
    { name: 'root', num_children: columns.length },
    ...columns.map((name) => ({ name, ...text })),
  ];
}
