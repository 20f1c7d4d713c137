import { escapeText } from '../observe/escape-text.ts';
import type { RunEvent } from '../pipeline/run-report.ts';
import { formatBytes } from './format-bytes.ts';
import { formatDuration } from './format-duration.ts';
import type { Meaning, Paint } from './paint.ts';

/** What a person reads about an event of a run; `undefined` for events that only move the progress line. */
export function runLine(event: RunEvent, paint: Paint): string | undefined {
  const result = (meaning: Meaning, word: string, rest: string) =>
    `${paint(meaning, word)} ${escapeText(rest)}`;
  const message = (text: string) => escapeText(text);
  switch (event.event) {
    case 'connecting':
      return message('connecting to the vendor');
    case 'listed':
      return message(listed(event));
    case 'delivered':
      return result(
        'good',
        'delivered',
        `${event.path} → ${event.key} (${formatBytes(event.bytes)})`,
      );
    case 'duplicate':
      return result('minor', 'duplicate', `${event.path}: same content as ${event.of}`);
    case 'quarantined':
      return result('bad', 'refused', `${event.path}: ${event.reason}`);
    case 'failed':
      return result('bad', 'failed', `${event.path}: ${event.error}`);
    case 'warning':
      return result('doubtful', 'note', `${event.path}: ${event.message}`);
    case 'retrying':
      return message(`trying again ${event.path}: ${event.reason}`);
    case 'waiting':
      return message(waiting(event));
    case 'connected':
    case 'started':
    case 'read':
    case 'sink-down':
      return undefined;
    default:
      return event satisfies never;
  }
}

function listed(event: RunEvent & { readonly event: 'listed' }): string {
  const { files, bytes, toDeliver } = event;
  if (files === 0) return 'no files at the vendor';
  const size = bytes > 0 ? ` (${formatBytes(bytes)})` : '';
  const work = toDeliver > 0 ? `, ${toDeliver} to deliver${size}` : '';
  return `${count(files, 'file')} at the vendor${work}`;
}

function waiting({ path, reason, forMs }: RunEvent & { readonly event: 'waiting' }): string {
  const what = path === '' ? '' : ` for ${path}`;
  return `waiting ${formatDuration(forMs)}${what}: ${reason}`;
}

/** `1 file`, `2 files`. */
export function count(number: number, noun: string): string {
  return `${number} ${noun}${number === 1 ? '' : 's'}`;
}
