import { PluginError } from '@octo/plugin-api';
import { checkSftpOptions, type SftpOptions } from '@octo/sftp';
import type { BloombergConfig, RequestConfig } from './config-schema.ts';
import { type Credential, credentialOf, parseCredential } from './credential.ts';
import { DatedName } from './dated-name.ts';

export interface RestAccess {
  readonly credential: Credential;
  /** With a slash at its end. */
  readonly endpoint: URL;
  readonly tokenUrl: URL;
}

/**
 * Checks what the REST transport needs, in words that a schema does not find.
 * @throws PluginError `validation`
 */
export function restAccess(config: BloombergConfig): RestAccess {
  const sftpWord = SFTP_ONLY.find((word) => config[word] !== undefined);
  if (sftpWord !== undefined)
    throw refused(`'${sftpWord}' belongs to "transport": "sftp"; set that, or remove it`);
  for (const request of config.requests ?? []) checkRequest(request, config.timezone);
  const identifiers = (config.requests ?? []).map(({ identifier }) => identifier);
  const twice = identifiers.find((one, i) => identifiers.indexOf(one) !== i);
  if (twice !== undefined) throw refused(`the request '${twice}' is there twice`);
  const endpoint = addressOf('endpoint', config.endpoint);
  if (!endpoint.pathname.endsWith('/')) endpoint.pathname += '/';
  return {
    credential: credentialIn(config),
    endpoint,
    tokenUrl: addressOf('tokenEndpoint', config.tokenEndpoint),
  };
}

/**
 * Checks what the SFTP transport needs.
 * @throws PluginError `validation`
 */
export function sftpAccess(config: BloombergConfig): SftpOptions {
  const restWord = REST_ONLY.find((word) => config[word] !== undefined);
  if (restWord !== undefined)
    throw refused(`'${restWord}' belongs to "transport": "rest"; remove it, or the transport`);
  const { hostKeys, passphrase, password, privateKey, username } = config;
  if (username === undefined) throw refused("'username' is missing; it is the account, dl…");
  if (hostKeys === undefined)
    throw refused(
      "'hostKeys' is missing; ask Bloomberg for the fingerprint (SHA256:…) and compare it with what `octo-host check` shows",
    );
  if (password === undefined && privateKey === undefined)
    throw refused("'password' or 'privateKey' is missing; one of them is needed to log in");
  if (passphrase !== undefined && privateKey === undefined)
    throw refused("'passphrase' is given, but there is no 'privateKey' that it could open");
  const options: SftpOptions = {
    host: config.host,
    port: config.port,
    username,
    hostKeys,
    legacyAlgorithms: config.legacyAlgorithms,
    ...(password === undefined ? {} : { password }),
    ...(privateKey === undefined ? {} : { privateKey }),
    ...(passphrase === undefined ? {} : { passphrase }),
  };
  checkSftpOptions(options);
  return options;
}

const SFTP_ONLY = [
  'username',
  'password',
  'privateKey',
  'passphrase',
  'hostKeys',
  'requestFiles',
  'pattern',
  'desPassword',
] as const;
const REST_ONLY = [
  'credential',
  'clientId',
  'clientSecret',
  'catalog',
  'universes',
  'fieldLists',
  'triggers',
  'requests',
  'prefix',
] as const;

/** The server makes one when there is none, but then nobody would know it again. */
const MAX_IDENTIFIER = 21;

function credentialIn({ clientId, clientSecret, credential }: BloombergConfig): Credential {
  if (credential !== undefined) {
    if (clientId === undefined && clientSecret === undefined) return parseCredential(credential);
    throw refused("'credential' holds id and secret; remove 'clientId' and 'clientSecret'");
  }
  if (clientId === undefined || clientSecret === undefined)
    throw refused(
      "'credential' is missing: the text of the credential file, or 'clientId' and 'clientSecret' out of it",
    );
  return credentialOf(clientId, clientSecret);
}

function checkRequest(request: RequestConfig, timezone: string): void {
  const { fieldList, fields, history, identifier, securities, type, universe } = request;
  const refuse = (what: string) => refused(`request '${identifier}': ${what}`);
  const length = new DatedName(identifier, timezone).at(0).length;
  if (length > MAX_IDENTIFIER)
    throw refuse(`its identifier has ${length} characters, and ${MAX_IDENTIFIER} are allowed`);
  if ((securities === undefined) === (universe === undefined))
    throw refuse("give either 'securities' or 'universe'");
  const lists = [fields, fieldList].filter((list) => list !== undefined).length;
  if (type === 'ActionsRequest' && lists > 0) throw refuse('an ActionsRequest has no fields');
  if (type !== 'ActionsRequest' && lists !== 1) throw refuse("give either 'fields' or 'fieldList'");
  if (request.pricingSource !== undefined && !/^(Data|History)Request$/.test(type))
    throw refuse(`a ${type} has no pricing source`);
  if (type !== 'HistoryRequest') return;
  const { days, endDate, startDate } = history ?? {};
  if ((days === undefined) === (startDate === undefined || endDate === undefined))
    throw refuse("'history' needs either 'days', or 'startDate' and 'endDate'");
}

/** Without encryption only to this machine itself: a proof of who we are goes with each request. */
function addressOf(name: string, text: string): URL {
  const url = URL.parse(text);
  if (url === null) throw refused(`'${name}' is no address`);
  const isLoopback = /^(127(\.\d+){3}|localhost|\[::1\])$/.test(url.hostname);
  if (url.protocol === 'https:' || (url.protocol === 'http:' && isLoopback)) return url;
  throw refused(`'${name}' must begin with https://`);
}

function refused(what: string): PluginError {
  return new PluginError('validation', `config: ${what}`, { code: 'BAD_CONFIG' });
}
