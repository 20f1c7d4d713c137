import { isIP } from 'node:net';
import { OctoError } from '../errors/octo-error.ts';

export interface Binding {
  readonly address: string;
  readonly port: number;
  readonly tls?: object;
  /** The operator knows that keys will cross the network in the clear, or that something in front has TLS. */
  readonly insecure: boolean;
}

/** @throws OctoError `OCTO_API_EXPOSED` when others could listen to what goes over the address */
export function refuseExposed({ address, tls, insecure }: Binding): void {
  if (isLoopback(address) || tls !== undefined || insecure) return;
  throw new OctoError(
    'OCTO_API_EXPOSED',
    `the API would be open to the network at ${address} without TLS; give host.api.tls a certificate, keep 127.0.0.1, or say "insecure": true when something in front has TLS`,
  );
}

export function isLoopback(address: string): boolean {
  if (address === '::1' || address === 'localhost') return true;
  return isIP(address) === 4 && address.startsWith('127.');
}

/** What the system says against an address, in words. */
export function bindError({ address, port }: Binding, cause: unknown): OctoError {
  const { code = 'unknown' } = cause as NodeJS.ErrnoException;
  const why: Readonly<Record<string, string>> = {
    EADDRINUSE: 'is in use; choose another port with host.api.port or OCTO_API_PORT',
    EACCES: 'may not be used by this user; choose a port from 1024 up',
    EADDRNOTAVAIL: 'is not an address of this machine; see host.api.address',
  };
  const problem = why[code] ?? `cannot be used (${code})`;
  return new OctoError('OCTO_API_LISTEN', `${address}, port ${port}, ${problem}`, { cause });
}
