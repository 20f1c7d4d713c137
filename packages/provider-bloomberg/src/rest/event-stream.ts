import { PluginError } from '@octo/plugin-api';

/** One event of a stream. */
export interface ServerEvent {
  /** `message` when the stream gives no name. */
  readonly name: string;
  readonly data: string;
}

/** What outlives a connection: where to go on, and after which pause. */
export interface StreamMemory {
  lastEventId: string;
  retryMs: number;
}

/**
 * The events in a `text/event-stream`, by the rules of html.spec.whatwg.org/multipage/server-sent-events.html. Comments and
 * events without data, which are heartbeats, are left out; ids and the server's wish for a pause go into `memory`.
 * An event that was not ended by an empty line is not one.
 * @throws PluginError `provider_down` with code `ENDLESS_EVENT` when one event has more than a mebibyte
 */
export async function* eventsIn(
  chunks: AsyncIterable<Uint8Array>,
  memory: StreamMemory,
): AsyncGenerator<ServerEvent, void, undefined> {
  let name = '';
  let data: string[] = [];
  let id = memory.lastEventId;
  let length = 0;
  for await (const line of linesIn(chunks)) {
    length += line.length;
    if (length > MAX_EVENT) throw endless();
    if (line !== '') {
      const [field, value] = fieldOf(line);
      if (field === 'data') data.push(value);
      else if (field === 'event') name = value;
      else if (field === 'id' && !value.includes('\0')) id = value;
      else if (field === 'retry' && /^\d{1,9}$/.test(value)) memory.retryMs = Number(value);
      continue;
    }
    memory.lastEventId = id;
    const event = { name: name === '' ? 'message' : name, data: data.join('\n') };
    name = '';
    data = [];
    length = 0;
    if (event.data !== '') yield event;
  }
}

/** Lines end with CR LF, LF or CR. The last one counts only when it is ended. */
async function* linesIn(chunks: AsyncIterable<Uint8Array>): AsyncGenerator<string, void> {
  const decoder = new TextDecoder();
  let rest = '';
  let endedWithReturn = false;
  for await (const chunk of chunks) {
    let text = decoder.decode(chunk, { stream: true });
    if (text === '') continue;
    if (endedWithReturn && text.startsWith('\n')) text = text.slice(1);
    endedWithReturn = text.endsWith('\r');
    const lines = (rest + text).split(/\r\n|\n|\r/);
    rest = lines.pop() ?? '';
    yield* lines;
    if (rest.length > MAX_EVENT) throw endless();
  }
}

function fieldOf(line: string): readonly [string, string] {
  const colon = line.indexOf(':');
  if (colon < 0) return [line, ''];
  const value = line.slice(colon + 1);
  return [line.slice(0, colon), value.startsWith(' ') ? value.slice(1) : value];
}

const MAX_EVENT = 1024 * 1024;

function endless(): PluginError {
  return new PluginError(
    'provider_down',
    'the stream of notifications sent an event of more than a mebibyte; it is opened anew',
    { code: 'ENDLESS_EVENT' },
  );
}
