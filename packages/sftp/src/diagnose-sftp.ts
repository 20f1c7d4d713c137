/** What must hold for files to come from an SFTP server, told step by step. For `octo-host check`. */
import { isPluginError, type Diagnosis } from '@octo/plugin-api';
import { connectWithProgress, type SftpServices } from './connect-sftp.ts';
import { displayPath } from './display-path.ts';
import { sftpSettings, type SftpOptions, type SftpSettings } from './sftp-options.ts';
import type { SftpSession } from './sftp-session.ts';

/**
 * The steps `resolve`, `connect`, `host key`, `login` and `list`, and `encryption` when that will be slow; stops after the
 * first that fails. Leaves nothing open.
 * @param folder the folder to list; `''` is the folder of the login
 * @throws signal.reason when aborted
 */
export async function* diagnoseSftp(
  options: SftpOptions,
  services: SftpServices,
  folder: string,
  signal: AbortSignal,
): AsyncGenerator<Diagnosis, void, undefined> {
  const passed: Diagnosis[] = [];
  const pass = (step: string, detail: string) => passed.push({ step, outcome: 'passed', detail });
  let session: SftpSession | undefined;
  try {
    const settings = sftpSettings(options);
    session = await connect(settings, services, pass, signal);
    yield* passed.splice(0);
    if (session.decryption === 'library') yield SLOW;
    const files = await count(session, folder, signal);
    yield {
      step: 'list',
      outcome: 'passed',
      detail: `${files} in ${displayPath(folder) || 'the login folder'}`,
    };
  } catch (error) {
    signal.throwIfAborted();
    yield* passed;
    yield failed(error, session === undefined ? passed.length : STEPS.length - 1);
  } finally {
    await session?.[Symbol.asyncDispose]();
  }
}

/** ssh2 has a native addon for the other ciphers. It is built where there is a compiler, and not by this project. */
const SLOW: Diagnosis = {
  step: 'encryption',
  outcome: 'warned',
  detail:
    'the server has no AES-GCM, and other ciphers are slow here: files come at a third of the speed',
  remedy: 'ask the vendor for aes128-gcm@openssh.com if large files take too long',
};

const STEPS = ['resolve', 'connect', 'host key', 'login', 'list'];

async function connect(
  settings: SftpSettings,
  services: SftpServices,
  pass: (step: string, detail: string) => void,
  signal: AbortSignal,
): Promise<SftpSession> {
  let connected = false;
  const progress = {
    resolved: (addresses: readonly string[]) => pass('resolve', addresses.join(', ')),
    connected: (address: string) => {
      // Again with each further type of host key.
      if (!connected) pass('connect', `${address} port ${settings.port}`);
      connected = true;
    },
    hostKey: (fingerprint: string) => pass('host key', fingerprint),
  };
  const session = await connectWithProgress(settings, services, progress, signal);
  pass('login', `as ${settings.username}`);
  return session;
}

async function count(session: SftpSession, folder: string, signal: AbortSignal): Promise<string> {
  let files = 0;
  let refused = 0;
  for await (const entry of session.list(folder, signal)) {
    if (entry.refused !== undefined) refused++;
    else if (entry.kind === 'file') files++;
  }
  const told = `${files} ${files === 1 ? 'file' : 'files'}`;
  return refused === 0 ? told : `${told}, and ${refused} that cannot be used`;
}

function failed(error: unknown, step: number): Diagnosis {
  const message = error instanceof Error ? error.message : String(error);
  const code = isPluginError(error) ? error.code : undefined;
  return {
    step: STEPS[step] ?? 'list',
    outcome: 'failed',
    detail: message,
    remedy: REMEDIES[code ?? ''] ?? 'see the message; then run the check again',
    error,
  };
}

const ALLOW_LIST = "ask the vendor whether this machine's public IP address is on their allow-list";
const REMEDIES: { readonly [code: string]: string } = {
  ENOTFOUND: 'check the spelling of host',
  ECONNREFUSED: 'check host and port with the vendor',
  TIMEOUT: ALLOW_LIST,
  ETIMEDOUT: ALLOW_LIST,
  ECONNRESET: ALLOW_LIST,
  CONNECTION_LOST: ALLOW_LIST,
  HOST_KEY_CHANGED:
    'ask the vendor for the fingerprint by phone or portal, then put it into hostKeys',
  LOGIN_REFUSED: `check username, password and privateKey; then ${ALLOW_LIST}`,
  NO_COMMON_ALGORITHM: 'ask the vendor to update the server, or set legacyAlgorithms to true',
  NO_SUCH_FILE: 'check the folder with the vendor; paths are case-sensitive',
  PERMISSION_DENIED: 'ask the vendor to let this user list the folder',
  LISTING_LIMIT: 'ask the vendor to clear old files, or raise the limit',
};
