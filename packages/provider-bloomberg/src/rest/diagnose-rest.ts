/** What must hold for responses to come over REST, told step by step. For `octo-host check`. */
import { lookup } from 'node:dns/promises';
import { type Clock, type Diagnosis, isPluginError, PluginError } from '@octo/plugin-api';
import { type Credential, daysLeft, expectValid, WARN_DAYS } from '../credential.ts';
import type { ApiClient } from './api-client.ts';
import type { AskedRequest } from './asked.ts';
import type { Catalog } from './catalog.ts';

export interface RestToDiagnose {
  readonly credential: Credential;
  readonly endpoint: URL;
  readonly clock: Clock;
  readonly client: ApiClient;
  readonly asked: readonly AskedRequest[];
  readonly prefix: string | undefined;
  readonly catalog: () => Promise<Catalog>;
}

/**
 * The steps `credential`, `resolve`, `login`, `requests` and `responses`; stops after the first that fails. Makes no
 * request and leaves nothing behind.
 * @throws signal.reason when aborted
 */
export async function* diagnoseRest(
  rest: RestToDiagnose,
  signal: AbortSignal,
): AsyncGenerator<Diagnosis, void, undefined> {
  for (const [step, look] of STEPS) {
    try {
      signal.throwIfAborted();
      yield { step, ...(await look(rest, signal)) };
    } catch (error) {
      signal.throwIfAborted();
      yield failed(step, error);
      return;
    }
  }
}

type Finding = Omit<Diagnosis, 'step'>;
type Look = (rest: RestToDiagnose, signal: AbortSignal) => Promise<Finding>;

const STEPS: readonly (readonly [step: string, look: Look])[] = [
  ['credential', lookAtCredential],
  ['resolve', resolve],
  ['login', logIn],
  ['requests', lookAtRequests],
  ['responses', lookAtResponses],
];

async function lookAtCredential({ clock, credential }: RestToDiagnose): Promise<Finding> {
  expectValid(credential, clock.now());
  const days = daysLeft(credential, clock.now());
  if (days === undefined) return passed(`${credential.clientId}; when it expires is not known`);
  const detail = `${credential.clientId}, expires in ${days} days`;
  if (days >= WARN_DAYS) return passed(detail);
  const remedy = 'make a new one at console.bloomberg.com and put its file in place of the old one';
  return { outcome: 'warned', detail, remedy };
}

async function resolve({ endpoint }: RestToDiagnose): Promise<Finding> {
  const { hostname } = endpoint;
  try {
    const addresses = await lookup(hostname, { all: true });
    return passed(addresses.map(({ address }) => address).join(', '));
  } catch (cause) {
    if (isPluginError(cause)) throw cause;
    const { code = 'ENOTFOUND' } = cause as NodeJS.ErrnoException;
    throw new PluginError('network', `the host name ${hostname} cannot be resolved (${code})`, {
      code: 'ENOTFOUND',
      cause,
    });
  }
}

async function logIn({ catalog, endpoint }: RestToDiagnose): Promise<Finding> {
  const { identifier } = await catalog();
  return passed(`at ${endpoint.host}, catalogue ${identifier}`);
}

async function lookAtRequests(rest: RestToDiagnose, signal: AbortSignal): Promise<Finding> {
  const { asked, clock } = rest;
  if (asked.length === 0) return passed('none is configured; every response is delivered');
  const catalog = await rest.catalog();
  const missing: string[] = [];
  for (const { config, name } of asked) {
    const identifier = name.at(clock.now());
    const found = await catalog.stored('requests', identifier, signal);
    if (config.enabled && found === undefined) missing.push(identifier);
  }
  if (missing.length === 0) return passed(`${asked.length} known to Bloomberg`);
  return {
    outcome: 'warned',
    detail: `not made yet: ${missing.join(', ')}`,
    remedy: 'normal before the first run, which makes them',
  };
}

async function lookAtResponses(rest: RestToDiagnose, signal: AbortSignal): Promise<Finding> {
  const catalog = await rest.catalog();
  const { asked, prefix } = rest;
  const filters =
    asked.length === 0
      ? [prefix === undefined ? {} : { prefix }]
      : asked.map(({ filter }) => filter);
  let count = 0;
  for (const filter of filters) for await (const _ of catalog.responses(filter, signal)) count++;
  if (count > 0) return passed(`${count} ready`);
  return {
    outcome: 'warned',
    detail: 'none is there yet',
    remedy: 'normal before the first answer, which takes Bloomberg 5 to 45 minutes',
  };
}

function passed(detail: string): Finding {
  return { outcome: 'passed', detail };
}

function failed(step: string, error: unknown): Diagnosis {
  const detail = error instanceof Error ? error.message : 'unknown error';
  const code = isPluginError(error) ? (error.code ?? '') : '';
  const remedy = REMEDIES[code] ?? 'see the message; then run the check again';
  return { step, outcome: 'failed', detail, remedy, error };
}

const REMEDIES: { readonly [code: string]: string } = {
  CREDENTIAL_EXPIRED: 'make a new credential at console.bloomberg.com',
  ENOTFOUND: 'check the spelling of config/endpoint, and the DNS of this machine',
  ECONNREFUSED: 'check config/endpoint, and whether a proxy or firewall is in between',
  TIMEOUT: 'check whether a proxy or firewall is in between',
  LOGIN_REFUSED:
    "at console.bloomberg.com: is the credential valid, and this machine's public IP address on its allow-list?",
  NOT_ENTITLED: 'ask Bloomberg to entitle this credential for Data License REST',
  NO_SUCH_CATALOG: 'check config/catalog',
};
