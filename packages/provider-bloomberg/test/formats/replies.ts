import { isPluginError, type InspectionResult, type TableRow } from '@octo/plugin-api';
import { inspectReply } from '../../src/formats/reply-inspection.ts';
import { replyRows } from '../../src/formats/reply-rows.ts';

export const GETDATA = frame({
  program: 'getdata',
  fields: ['ID_BB_GLOBAL', 'NAME', 'PX_LAST', 'CRNCY'],
  rows: [
    'IBM US Equity|0|4|BBG000BLNNH6|INTL BUSINESS MACHINES CORP|231.450000|USD|',
    'NOPE US Equity|10|4| | | | |',
  ],
});

export interface FrameParts {
  readonly program: string;
  readonly fields: readonly string[];
  readonly rows: readonly string[];
  readonly headers?: readonly string[];
  readonly tail?: readonly string[];
}

/** A reply as the domain sheet shows it. */
export function frame({ program, fields, rows, headers = [], tail = [] }: FrameParts): string {
  return [
    'START-OF-FILE',
    'RUNDATE=20260115',
    `PROGRAMNAME=${program}`,
    'REPLYFILENAME=px0115a.out',
    'FIRMNAME=dl123456',
    ...headers,
    '',
    'START-OF-FIELDS',
    ...fields,
    'END-OF-FIELDS',
    '',
    'TIMESTARTED=Thu Jan 15 11:19:10 EST 2026',
    'START-OF-DATA',
    ...rows,
    'END-OF-DATA',
    ...tail,
    'TIMEFINISHED=Thu Jan 15 11:19:44 EST 2026',
    'END-OF-FILE',
    '',
  ].join('\n');
}

/** What an inspection says, fed with chunks of `chunkBytes`. @throws whatever it throws */
export function inspect(content: string | Uint8Array, chunkBytes = 1_000_000): InspectionResult {
  const inspection = inspectReply();
  for (const chunk of chunksOf(content, chunkBytes)) inspection.write(chunk);
  return inspection.finish();
}

/** `integrity CODE: message` of the refusal; `accepted` when there is none. */
export function verdict(content: string | Uint8Array, chunkBytes?: number): string {
  try {
    inspect(content, chunkBytes);
    return 'accepted';
  } catch (error) {
    if (!isPluginError(error)) throw error;
    return `${error.type} ${error.code}: ${error.message}`;
  }
}

export interface ReadTable {
  readonly columns: readonly string[] | undefined;
  readonly rows: readonly TableRow[];
}

/** The reply as a table. */
export function tableOf(content: string | Uint8Array, chunkBytes = 1_000_000): ReadTable {
  const table = replyRows();
  const rows: TableRow[] = [];
  for (const chunk of chunksOf(content, chunkBytes)) rows.push(...table.write(chunk));
  rows.push(...table.finish());
  return { columns: table.columns, rows };
}

/** Each chunk is a copy of its own that is overwritten when the next one is asked for: nobody may keep it. */
export function* chunksOf(content: string | Uint8Array, chunkBytes: number): Generator<Uint8Array> {
  const bytes = Buffer.from(content as string);
  for (let at = 0; at < bytes.length; at += chunkBytes) {
    const chunk = Uint8Array.from(bytes.subarray(at, at + chunkBytes));
    yield chunk;
    chunk.fill(0xff);
  }
}
