/** The SFTP server as a client sees it, near or behind a delay. */
import type { Ground } from './ground.ts';
import type { Sshd } from './servers/sshd.ts';

export interface Remote {
  readonly sshd: Sshd;
  readonly port: number;
}

export async function remoteAt(ground: Ground, roundTripMs: number): Promise<Remote> {
  const sshd = await ground.sshd();
  return { sshd, port: await ground.delayed(sshd.port, roundTripMs) };
}

/** How octo's provider gets there. */
export function sshKeyOf({ sshd, port }: Remote): { readonly [name: string]: unknown } {
  const { user, privateKey, fingerprint } = sshd;
  return { host: '127.0.0.1', port, username: user, privateKey, hostKeys: [fingerprint] };
}

/** Options that ssh and sftp share; the port comes as an option, because they call it differently. */
export function sshOptions({ sshd, port }: Remote): readonly string[] {
  const options = {
    Port: port,
    IdentityFile: sshd.keyFile,
    IdentitiesOnly: 'yes',
    UserKnownHostsFile: sshd.knownHosts,
    BatchMode: 'yes',
  };
  return [
    '-F',
    'none',
    ...Object.entries(options).flatMap(([name, value]) => ['-o', `${name}=${value}`]),
  ];
}

/** rclone's way to write a remote without a configuration file. */
export function rcloneSftp({ sshd, port }: Remote): string {
  return `:sftp,host=127.0.0.1,port=${port},user=${sshd.user},key_file='${sshd.keyFile}',shell_type=unix:`;
}

/** The beginning of a script for lftp. */
export function lftpOpen(remote: Remote): string {
  const ssh = `ssh -a -x ${sshOptions(remote).join(' ')}`;
  return (
    `set sftp:connect-program "${ssh}"; set sftp:auto-confirm yes; set net:max-retries 1; ` +
    `open -u ${remote.sshd.user},none sftp://127.0.0.1:${remote.port}; `
  );
}
