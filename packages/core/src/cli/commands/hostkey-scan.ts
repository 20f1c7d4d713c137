import { escapeText } from '../../observe/escape-text.ts';
import { flag, type CommandCode } from '../command.ts';
import { exitCodes } from '../exit-code.ts';
import { UsageError } from '../usage-error.ts';

const SSH_PORT = 22;

/** `octo-host hostkey scan <host[:port]>`: what `ssh-keyscan HOST | ssh-keygen -lf -` prints, and the line to paste. */
export const hostkeyScan: CommandCode = async (args, { stdout, stderr, clock, signal }) => {
  const [operand = ''] = args.operands;
  const { host, port } = addressIn(operand);
  // Loaded here: no other command speaks SSH by itself.
  const { scanHostKeys } = await import('@octo/sftp');
  const keys = await scanHostKeys({ host, port }, clock, signal);
  if (flag(args, 'json')) {
    stdout.write(`${JSON.stringify({ host, port, keys })}\n`);
    return exitCodes.allWell;
  }
  const name = port === SSH_PORT ? host : `[${host}]:${port}`;
  for (const { bits, fingerprint, type } of keys)
    stdout.write(`${bits ?? '-'} ${fingerprint} ${escapeText(name)} (${kindOf(type)})\n`);
  const [best] = keys;
  stdout.write(`\n"hostKeys": ["${best?.fingerprint}"]\n`);
  stderr.write(
    'This is what the server shows; whether it is the right one, only the vendor can say: by phone or portal.\n',
  );
  return exitCodes.allWell;
};

/** As `ssh-keygen -l` names them. */
function kindOf(type: string): string {
  if (type === 'ssh-ed25519') return 'ED25519';
  return type === 'ssh-rsa' ? 'RSA' : 'ECDSA';
}

/** `host`, `host:port`, `[::1]:port` or an IPv6 address alone. @throws UsageError */
function addressIn(text: string): { readonly host: string; readonly port: number } {
  const [, inBrackets, plain, digits] =
    /^(?:\[([0-9a-fA-F:.%]+)\]|([^\s:[\]@/]+))(?::(\d{1,5}))?$/.exec(text) ?? [];
  const host = inBrackets ?? plain ?? (/^[0-9a-fA-F:.]*:[0-9a-fA-F:.]*$/.test(text) ? text : '');
  const port = Number(digits ?? SSH_PORT);
  if (host !== '' && !host.startsWith('-') && port > 0 && port <= 65_535) return { host, port };
  throw new UsageError(
    `'${escapeText(text)}' is no host, host:port or [address]:port`,
    'octo-host hostkey scan --help',
  );
}
