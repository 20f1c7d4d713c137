/**
 * The loopback Bloomberg as a process of its own: `node serve.js '{"rest":{"account":"1234"},"sftp":{}}'`, where the
 * argument is the JSON of {@link BloombergRestOptions} and {@link BloombergSftpOptions} without clocks; whichever is
 * there is served. Answers what is asked of it with generated data. Prints one line of JSON when it can be reached,
 * `{"rest":{"url":…,"credential":…},"sftp":{"port":…,"hostKey":…}}`, and ends on SIGTERM or when its input ends.
 */
import { startBloombergRest, type BloombergRestOptions } from './start-bloomberg-rest.ts';
import { startBloombergSftp, type BloombergSftpOptions } from './start-bloomberg-sftp.ts';

interface Served {
  readonly rest?: BloombergRestOptions;
  readonly sftp?: BloombergSftpOptions;
}

const asked = JSON.parse(process.argv[2] ?? '{"rest":{}}') as Served;
const rest = asked.rest && (await startBloombergRest(asked.rest));
const sftp = asked.sftp && (await startBloombergSftp(asked.sftp));
process.stdout.write(`${JSON.stringify({ ...restTold(), ...sftpTold() })}\n`);

const stop = async () => {
  await rest?.[Symbol.asyncDispose]();
  await sftp?.[Symbol.asyncDispose]();
  process.exit(0);
};
process.once('SIGTERM', () => void stop()).once('SIGINT', () => void stop());
// Whoever started this process holds its input open; so it cannot outlive them.
process.stdin.once('end', () => void stop()).resume();

function restTold() {
  if (rest === undefined) return {};
  const { account, credential, oauthUrl, url } = rest;
  return { rest: { account, credential, oauthUrl, url } };
}

function sftpTold() {
  if (sftp === undefined) return {};
  const { host, hostKey, password, port, username } = sftp;
  return { sftp: { host, hostKey, password, port, username } };
}
