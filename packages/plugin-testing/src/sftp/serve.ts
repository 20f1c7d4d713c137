/**
 * The loopback SFTP server as a process of its own, over a real folder: `node serve.ts '{"root":"/tmp/vendor"}'`, where
 * the argument is the JSON of {@link StartSftpOptions} without functions. Prints one line of JSON,
 * `{"port":…,"hostKey":"SHA256:…"}`, when it can be reached, and ends on SIGTERM or when its input ends.
 */
import { startSftp, type StartSftpOptions } from './start-sftp.ts';

const server = await startSftp(JSON.parse(process.argv[2] ?? '{}') as StartSftpOptions);
process.stdout.write(`${JSON.stringify({ port: server.port, hostKey: server.hostKeys[0] })}\n`);

const stop = () => void server[Symbol.asyncDispose]().then(() => process.exit(0));
process.once('SIGTERM', stop).once('SIGINT', stop);
// Whoever started this process holds its input open; so it cannot outlive them.
process.stdin.once('end', stop).resume();
