import type { Delivery, DeliveryEvent } from '../ledger/delivery.ts';
import { escapeText } from '../observe/escape-text.ts';
import { stateMeaning, stateWord } from './delivery-words.ts';
import { formatBytes } from './format-bytes.ts';
import { formatTime } from './format-time.ts';
import type { Paint } from './paint.ts';
import { padText } from './text-width.ts';

/** One file's whole life over all runs, for people. */
export function deliveryStory(
  delivery: Delivery,
  history: readonly DeliveryEvent[],
  paint: Paint,
): string[] {
  return [
    `${paint('strong', escapeText(delivery.path))}  ${paint(stateMeaning(delivery), stateWord(delivery))}`,
    ...facts(delivery).map(([name, value]) => `  ${paint('minor', padText(name, 10))}  ${value}`),
    '',
    ...events(history, paint),
  ];
}

function facts(delivery: Delivery): (readonly [string, string])[] {
  const { verified } = delivery;
  const modified = formatTime(new Date(delivery.mtimeMs));
  const all: (readonly [string, string | undefined])[] = [
    ['reason', delivery.reason],
    ['pipeline', delivery.pipeline],
    ['at vendor', `${formatBytes(delivery.size)}, modified ${modified} UTC`],
    ['lies at', delivery.location === delivery.path ? undefined : delivery.location],
    ['key', delivery.objectKey],
    ['sink', delivery.sink],
    [
      'content',
      verified && `${verified.plainBytes} bytes, sha256 ${verified.plainSha256.toString('hex')}`,
    ],
    ['same as', delivery.duplicateOf],
    ['waits for', delivery.waitingOn],
    ['not before', delivery.notBefore && `${formatTime(delivery.notBefore)} UTC`],
    ['found', factsText(delivery.facts)],
    ['id', delivery.id],
  ];
  return all.flatMap(([name, value]) => (value === undefined ? [] : [[name, escapeText(value)]]));
}

function factsText(found: Delivery['facts']): string | undefined {
  const entries = Object.entries(found);
  if (entries.length === 0) return undefined;
  return entries
    .map(([name, value]) => `${name} ${typeof value === 'string' ? value : JSON.stringify(value)}`)
    .join(', ');
}

/** Oldest first; a blank column where the run is the same as in the line above. */
function events(history: readonly DeliveryEvent[], paint: Paint): string[] {
  const width = Math.max(0, ...history.map(({ event }) => event.length));
  let run: string | undefined;
  return history.flatMap((entry) => {
    const heading = entry.run !== undefined && entry.run !== run ? [runHeading(entry, paint)] : [];
    run = entry.run ?? run;
    const detail = entry.detail === undefined ? '' : `  ${escapeText(entry.detail)}`;
    const line = `    ${formatTime(entry.at)}  ${padText(escapeText(entry.event), width)}${detail}`;
    return [...heading, line.trimEnd()];
  });
}

function runHeading({ run = '', attempt }: DeliveryEvent, paint: Paint): string {
  const which = attempt > 0n ? `, attempt ${attempt}` : '';
  return `  ${paint('minor', `run ${escapeText(run)}${which}`)}`;
}
