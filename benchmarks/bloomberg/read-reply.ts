/**
 * Reads a getdata reply in one of three ways and writes down what it counted: `octo` with the inspection of provider-bloomberg,
 * `lines` by splitting text, `csv-parse` with a general parser of CSV. The peers do the same checks and keep no more than
 * octo does: markers, cells of each row, return codes, values `N.A.`, the number of rows.
 */
import { createReadStream } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { pipeline } from 'node:stream/promises';
import { TextReply, type Counted } from './text-reply.ts';

const [, , how = '', path = '', answer = ''] = process.argv;
const WAYS: { readonly [how: string]: (bytes: AsyncIterable<Buffer>) => Promise<Counted> } = {
  octo,
  lines,
  'csv-parse': csvParse,
};
const way = WAYS[how];
if (way === undefined) throw new Error(`there is no way '${how}'`);
const counted = await way(createReadStream(path, { highWaterMark: 262_144 }));
await writeFile(answer, JSON.stringify(counted));

async function octo(bytes: AsyncIterable<Buffer>): Promise<Counted> {
  const { inspectReply } =
    await import('../../packages/provider-bloomberg/src/formats/reply-inspection.ts');
  const inspection = inspectReply();
  for await (const chunk of bytes) inspection.write(chunk);
  const { facts } = inspection.finish();
  const { rows, returnCodes, nulls } = facts as {
    readonly rows: number;
    readonly returnCodes: { readonly [code: string]: number };
    readonly nulls: { readonly [token: string]: number };
  };
  return { rows, failed: returnCodes['10'] ?? 0, notAvailable: nulls['N.A.'] ?? 0 };
}

async function lines(bytes: AsyncIterable<Buffer>): Promise<Counted> {
  const reply = new TextReply();
  const decoder = new TextDecoder();
  let rest = '';
  for await (const chunk of bytes) {
    const whole = (rest + decoder.decode(chunk, { stream: true })).split('\n');
    rest = whole.pop() ?? '';
    for (const line of whole) reply.take(line.split('|'));
  }
  return reply.counted();
}

async function csvParse(bytes: AsyncIterable<Buffer>): Promise<Counted> {
  const { parse } = await import('csv-parse');
  const reply = new TextReply();
  // Its fastest way: records are handed over as they come and not queued.
  const on_record = (record: string[]): null => {
    reply.take(record);
    return null;
  };
  const parser = parse({ delimiter: '|', quote: null, relax_column_count: true, on_record });
  await pipeline(bytes, parser.resume());
  return reply.counted();
}
