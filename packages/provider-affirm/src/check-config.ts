import { PluginError } from '@octo/plugin-api';
import type { SftpOptions } from '@octo/sftp';
import type { AffirmConfig } from './config-schema.ts';

/** Where the files are: on a server, or in a local folder. */
export type Place = { readonly directory: string } | (SftpOptions & { readonly remoteDir: string });

/**
 * Checks what depends on each other, in words that a schema does not find.
 * @throws PluginError `validation`
 */
export function checkConfig(config: AffirmConfig): Place {
  const { directory, host, port, username, password, privateKey, passphrase, hostKeys } = config;
  if (directory !== undefined) {
    const other = SERVER_WORDS.find((word) => config[word] !== undefined);
    if (other === undefined) return { directory };
    throw refused(
      `'directory' (a local folder) and '${other}' (a server) exclude each other; remove one`,
    );
  }
  if (host === undefined)
    throw refused("'host' is missing; give it, or 'directory' for a local folder of pushed files");
  if (username === undefined) throw refused("'username' is missing; 'host' needs it");
  if (hostKeys === undefined)
    throw refused(
      "'hostKeys' is missing; ask the vendor for its fingerprint (SHA256:…) and compare it with what `octo-host check` shows",
    );
  if (password === undefined && privateKey === undefined)
    throw refused("'privateKey' or 'password' is missing; one of them is needed to log in");
  if (passphrase !== undefined && privateKey === undefined)
    throw refused("'passphrase' is given, but there is no 'privateKey' that it could open");
  return {
    host,
    port,
    username,
    hostKeys,
    legacyAlgorithms: config.legacyAlgorithms,
    remoteDir: config.remoteDir,
    ...(password === undefined ? {} : { password }),
    ...(privateKey === undefined ? {} : { privateKey }),
    ...(passphrase === undefined ? {} : { passphrase }),
  };
}

const SERVER_WORDS = [
  'host',
  'username',
  'password',
  'privateKey',
  'passphrase',
  'hostKeys',
] as const;

function refused(what: string): PluginError {
  return new PluginError('validation', `config: ${what}`, { code: 'BAD_CONFIG' });
}
