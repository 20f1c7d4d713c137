import { execFile } from 'node:child_process';
import { mkdir, open } from 'node:fs/promises';
import { join } from 'node:path';
import { OctoError } from '../errors/octo-error.ts';
import { type Checkpoint, checkpointLine } from './checkpoint.ts';
import { isExposed, syslogServerIn, syslogStream } from './syslog-stream.ts';

/** Somewhere outside of the state folder, best where the user of the host can add and not change. */
export interface CheckpointPlace {
  /** For messages. */
  readonly name: string;
  /** Resolves when it is there, as far as the place tells. Rejects with what was in the way. */
  put(checkpoint: Checkpoint, signal: AbortSignal): Promise<void>;
}

/** The file in the folder of `file:`. */
export const CHECKPOINT_FILE = 'octo-audit-checkpoints';

/** The folder that a setting names; `undefined` for every other place. */
export function checkpointFolder(setting: string): string | undefined {
  return /^file:(?:\/\/)?(\/.*)$/.exec(setting)?.[1];
}

/**
 * The place that a setting names: `file:/absolute/folder`, `syslog:` (by the program `logger`, which reaches the local
 * syslog or journal), `syslog+tls://host:6514`, `syslog+tcp://host:601` or `udp://host:514` (a syslog server, RFC 5424).
 * @throws OctoError `OCTO_AUDIT_CHECKPOINT` when it is spelled wrong, or would cross a network in the clear unasked
 */
export function checkpointPlace(setting: string): CheckpointPlace {
  const folder = checkpointFolder(setting);
  if (folder !== undefined) return filePlace(folder);
  if (setting === 'syslog:') return localSyslog();
  const server = syslogServerIn(setting);
  if (server !== undefined && isExposed(server))
    throw new OctoError(
      'OCTO_AUDIT_CHECKPOINT',
      `OCTO_AUDIT_CHECKPOINT is '${setting}', where checkpoints could be changed on their way; use syslog+tls://, or add ?plaintext=allowed`,
    );
  if (server !== undefined) return syslogStream(server);
  const [, host, port] = /^udp:\/\/(\[[0-9a-f:.]+\]|[^/:\s]+)(?::(\d{1,5}))?$/.exec(setting) ?? [];
  if (host !== undefined && Number(port ?? 514) <= 65_535)
    return syslogServer(host.replace(/^\[|\]$/g, ''), Number(port ?? 514));
  throw new OctoError(
    'OCTO_AUDIT_CHECKPOINT',
    `OCTO_AUDIT_CHECKPOINT is '${setting}'; it must be file:/absolute/folder, syslog:, syslog+tls://host:port, syslog+tcp://host:port or udp://host:port`,
  );
}

/** A file in another folder, to which lines are added. */
function filePlace(folder: string): CheckpointPlace {
  const path = join(folder, CHECKPOINT_FILE);
  return {
    name: path,
    put: async (checkpoint) => {
      await mkdir(folder, { recursive: true, mode: 0o700 });
      await using handle = await open(path, 'a', 0o600);
      await handle.writeFile(`${checkpointLine(checkpoint)}\n`);
      await handle.datasync();
    },
  };
}

/** Node cannot write to the socket of a local syslog, which takes datagrams; the program of util-linux and BSD can. */
function localSyslog(): CheckpointPlace {
  return {
    name: 'syslog',
    put: async (checkpoint, signal) => {
      const { promise, resolve, reject } = Promise.withResolvers<void>();
      const args = ['-p', 'authpriv.notice', '-t', 'octo-host', checkpointLine(checkpoint)];
      execFile('logger', args, { signal, timeout: 10_000 }, (error) =>
        error === null ? resolve() : reject(error),
      );
      await promise;
    },
  };
}

/** Facility 10 (security), severity 5 (notice). rfc-editor.org/rfc/rfc5424, section 6.2.1 */
const PRIORITY = 10 * 8 + 5;

/** Nobody acknowledges a datagram: that it was sent is all that can be known. */
function syslogServer(host: string, port: number): CheckpointPlace {
  return {
    name: `syslog at ${host}:${port}`,
    put: async (checkpoint) => {
      const { createSocket } = await import('node:dgram');
      const socket = createSocket(host.includes(':') ? 'udp6' : 'udp4');
      const { promise, resolve, reject } = Promise.withResolvers<void>();
      socket.once('error', reject);
      const line = `<${PRIORITY}>1 - - octo-host - audit - ${checkpointLine(checkpoint)}`;
      socket.send(line, port, host, (error) => (error === null ? resolve() : reject(error)));
      try {
        await promise;
      } finally {
        socket.close();
      }
    },
  };
}
