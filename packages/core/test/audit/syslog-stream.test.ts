import { once } from 'node:events';
import { type AddressInfo, createServer, type Server, type Socket } from 'node:net';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { buffer } from 'node:stream/consumers';
import {
  createServer as createTlsServer,
  getCACertificates,
  setDefaultCACertificates,
} from 'node:tls';
import { RecordingLogger } from '@octo/plugin-testing';
import { expect, onTestFinished, test } from 'vitest';
import { checkpointsIn, logIdOf } from '../../src/audit/checkpoint.ts';
import { checkpointPlace } from '../../src/audit/checkpoint-place.ts';
import { readAuditKey } from '../../src/audit/audit-key.ts';
import { auditFolder, openAudit } from '../../src/audit/open-audit.ts';
import { syslogStream } from '../../src/audit/syslog-stream.ts';
import { verifyAudit } from '../../src/audit/verify-audit.ts';
import { systemClock } from '../../src/host/system-clock.ts';
import { selfMadeCertificate } from './certificate.ts';
import { entry, folderOfTest, key } from './log-bench.ts';

const mac = 'cd'.repeat(32);
const checkpoint = { log: logIdOf(key), n: 12, mac };
const text = `octo-audit-checkpoint log=${checkpoint.log} n=12 mac=${mac}`;
const never = new AbortController().signal;

async function listening(server: Server): Promise<number> {
  server.listen(0, '127.0.0.1');
  onTestFinished(() => void server.close());
  await once(server, 'listening');
  return (server.address() as AddressInfo).port;
}

/** What servers of syslog do: they read up to the end, and close in return. Each message once, as its count of octets says. */
function reading(messages: string[]) {
  return (socket: Socket): void => {
    socket.on('error', () => {});
    void buffer(socket).then(
      (bytes) => messages.push(...framesIn(bytes)),
      () => {},
    );
  };
}

function framesIn(bytes: Buffer): string[] {
  const frames: string[] = [];
  let rest = bytes;
  while (rest.length > 0) {
    const [head = '', count = ''] = /^([1-9]\d*) /.exec(rest.toString('latin1')) ?? [];
    const end = head.length + Number(count);
    if (count === '' || rest.length < end) throw new Error('no frame of RFC 6587');
    frames.push(rest.subarray(head.length, end).toString());
    rest = rest.subarray(end);
  }
  return frames;
}

const HEADER = `<109>1 - ${hostname()} octo-host - audit-checkpoint - `;

test('a syslog server over TCP gets the line of RFC 5424 with its octets counted, and each time a new connection', async () => {
  const messages: string[] = [];
  const port = await listening(createServer(reading(messages)));
  const place = checkpointPlace(`syslog+tcp://127.0.0.1:${port}`);
  await place.put(checkpoint, never);
  await place.put({ ...checkpoint, n: 13 }, never);
  expect(messages).toEqual([`${HEADER}${text}`, `${HEADER}${text.replace('n=12', 'n=13')}`]);
});

async function tlsServer(messages: string[]): Promise<{ port: number; cert: string }> {
  const made = selfMadeCertificate();
  const server = createTlsServer(made, reading(messages)).on('tlsClientError', () => {});
  return { port: await listening(server), cert: made.cert };
}

/** As `NODE_EXTRA_CA_CERTS` does when a process starts. */
function trust(cert: string): void {
  const before = getCACertificates('default');
  onTestFinished(() => setDefaultCACertificates(before));
  setDefaultCACertificates([...before, cert]);
}

test.each(['127.0.0.1', 'localhost'])(
  'a syslog server over TLS whose certificate for %s is trusted gets the checkpoint',
  async (host) => {
    const messages: string[] = [];
    const { port, cert } = await tlsServer(messages);
    trust(cert);
    await checkpointPlace(`syslog+tls://${host}:${port}`).put(checkpoint, never);
    expect(messages).toEqual([`${HEADER}${text}`]);
  },
);

test('a syslog server whose certificate nobody trusts, or that is for another name, gets nothing', async () => {
  const messages: string[] = [];
  const { port, cert } = await tlsServer(messages);
  const place = checkpointPlace(`syslog+tls://127.0.0.1:${port}`);
  await expect(place.put(checkpoint, never)).rejects.toThrow(/self[- ]signed/);
  trust(cert);
  const server = { host: 'logs.example.com', port, isTls: true, isPlainMeant: false };
  const other = syslogStream(server, (_, __, answer) => answer(null, '127.0.0.1', 4));
  await expect(other.put(checkpoint, never)).rejects.toThrow(/altnames/);
  expect(messages).toEqual([]);
});

test('a syslog server that takes the line and never ends is given up when the time is over', async () => {
  const stop = new AbortController();
  const server = createServer({ allowHalfOpen: true }, (socket) => {
    onTestFinished(() => void socket.destroy());
    socket.resume().once('end', () => stop.abort(new Error('time is over')));
  });
  const place = checkpointPlace(`syslog+tcp://127.0.0.1:${await listening(server)}`);
  await expect(place.put(checkpoint, stop.signal)).rejects.toThrow('time is over');
});

test('a syslog server that never greets is given up when the time is over', async () => {
  const stop = new AbortController();
  const server = createServer((socket) => {
    onTestFinished(() => void socket.destroy());
    socket.once('data', () => stop.abort(new Error('time is over')));
  });
  const place = checkpointPlace(`syslog+tls://127.0.0.1:${await listening(server)}`);
  await expect(place.put(checkpoint, stop.signal)).rejects.toThrow('time is over');
});

test('a syslog server that closes in the middle, or is away, has not kept the checkpoint', async () => {
  const server = createServer((socket) => void socket.resetAndDestroy());
  const port = await listening(server);
  for (const kind of ['tcp', 'tls'])
    await expect(
      checkpointPlace(`syslog+${kind}://127.0.0.1:${port}`).put(checkpoint, never),
    ).rejects.toThrow(/ECONNRESET|EPIPE|disconnected|before the line/);
  server.close();
  await once(server, 'close');
  const place = checkpointPlace(`syslog+tcp://127.0.0.1:${port}`);
  await expect(place.put(checkpoint, never)).rejects.toThrow(/ECONNREFUSED/);
});

test('without TLS only this machine is told, unless the operator says so', async () => {
  for (const host of ['logs.example.com', '10.0.0.5', '[2001:db8::1]'])
    expect(() => checkpointPlace(`syslog+tcp://${host}:601`)).toThrow(/plaintext=allowed/);
  expect(checkpointPlace('syslog+tcp://10.0.0.5?plaintext=allowed').name).toContain('10.0.0.5:601');
  expect(checkpointPlace('syslog+tls://[::1]').name).toContain('::1:6514');
});

test('a name that leads to where clouds keep credentials is not connected to', async () => {
  const server = { host: 'logs.example.com', port: 6514, isTls: true, isPlainMeant: false };
  const place = syslogStream(server, (_, __, answer) => answer(null, '169.254.169.254', 4));
  await expect(place.put(checkpoint, never)).rejects.toMatchObject({ code: 'EGRESS_REFUSED' });
});

test('a syslog server that is away stops nothing, and one that is there proves the end of the log', async () => {
  const messages: string[] = [];
  const server = createServer(reading(messages));
  const port = await listening(server);
  const stateFolder = await folderOfTest();
  const logger = new RecordingLogger();
  const options = { stateFolder, clock: systemClock, logger, redact: (one: string) => one };
  const checkpointTo = async (checkpoint: string): Promise<void> => {
    await using audit = await openAudit({ ...options, checkpoint });
    await audit.record(entry('file.deliver'));
  };
  await checkpointTo(`syslog+tcp://127.0.0.1:${port}`);
  server.close();
  await once(server, 'close');
  await checkpointTo(`syslog+tcp://127.0.0.1:${port}`);
  expect(logger.messages()).toEqual(['audit checkpoint could not be kept']);
  const ownKey = (await readAuditKey(join(stateFolder, 'audit.key')))!;
  const file = `Nov 28 03:45:01 host sshd[7]: hello\nNov 28 03:45:07 ${messages.join('\n')}\n`;
  const known = checkpointsIn(file, logIdOf(ownKey));
  const verdict = await verifyAudit(auditFolder(stateFolder), ownKey, known);
  expect(verdict).toMatchObject({ records: 2, checkpoints: 1, provenTo: 1 });
});
