import { OctoError } from '../errors/octo-error.ts';
import { escapeText } from '../observe/escape-text.ts';
import { byteSize } from './byte-size.ts';
import type { Reach } from './manifest.ts';

/** The section `host` of a manifest, as its schema promises it. */
export interface HostConfig {
  readonly api?: ApiConfig;
  readonly limits: { readonly requestsPerSecond: number; readonly maxBody: string | number };
  readonly retention: { readonly runsDays: number };
  readonly telemetry?: TelemetryConfig;
}

export interface TelemetryConfig {
  readonly endpoint?: string;
  readonly headers: Readonly<Record<string, string>>;
}

export interface ApiConfig {
  readonly address: string;
  readonly port: number;
  readonly insecure: boolean;
  readonly tls?: { readonly cert: string; readonly key: string };
  readonly cors: readonly string[];
  readonly issuer?: {
    readonly url: string;
    readonly audience: string;
    readonly jwks: string;
    readonly scopeClaim: string;
    readonly allow?: Reach;
  };
}

/** What counts in the end. */
export interface HostSettings {
  /** Absent: the API is not served. */
  readonly api?: ApiConfig & { readonly requestsPerSecond: number; readonly maxBodyBytes: number };
  readonly retentionDays: number;
  /** Absent: nobody is sent traces. */
  readonly telemetry?: TelemetrySettings;
}

export interface TelemetrySettings {
  /** Where spans are posted to. */
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly service: string;
}

type Words = Readonly<Record<string, string | undefined>>;

/** Flags of `start` by the name that they have there. */
export interface HostFlags {
  readonly 'api-address'?: string | undefined;
  readonly 'api-port'?: string | undefined;
  readonly 'telemetry-endpoint'?: string | undefined;
}

const NOTHING: HostConfig = {
  limits: { requestsPerSecond: 1000, maxBody: '1MiB' },
  retention: { runsDays: 30 },
};
const API: ApiConfig = { address: '127.0.0.1', port: 8470, insecure: false, cors: [] };

/**
 * Default < file < environment < flag. An empty variable counts as not set.
 * @throws OctoError `OCTO_SETTING_INVALID`, which names the variable or flag
 */
export function hostSettings(
  { api, limits, retention, telemetry }: HostConfig = NOTHING,
  env: Words,
  flags: HostFlags = {},
): HostSettings {
  const number = (name: string, most: number, least: number, otherwise: number) =>
    wholeNumber(name, env[name], least, most) ?? otherwise;
  const served = apiOf(api, env, flags);
  const traced = telemetryOf(telemetry, env, flags['telemetry-endpoint']);
  return {
    ...(served === undefined
      ? {}
      : {
          api: {
            ...served,
            requestsPerSecond: number(
              'OCTO_REQUESTS_PER_SECOND',
              100_000,
              1,
              limits.requestsPerSecond,
            ),
            maxBodyBytes: byteSize(limits.maxBody) ?? 1024 * 1024,
          },
        }),
    retentionDays: number('OCTO_RETENTION_DAYS', 3650, 1, retention.runsDays),
    ...(traced === undefined ? {} : { telemetry: traced }),
  };
}

function apiOf(config: ApiConfig | undefined, env: Words, flags: HostFlags): ApiConfig | undefined {
  const port =
    wholeNumber('--api-port', flags['api-port'], 0, 65_535) ??
    wholeNumber('OCTO_API_PORT', env['OCTO_API_PORT'], 0, 65_535);
  if (config === undefined && port === undefined) return undefined;
  const { address, ...rest } = config ?? API;
  const insecure = yesOrNo('OCTO_API_INSECURE', env['OCTO_API_INSECURE']);
  return {
    ...rest,
    address: flags['api-address'] || env['OCTO_API_ADDRESS'] || address,
    ...(port === undefined ? {} : { port }),
    ...(insecure === undefined ? {} : { insecure }),
  };
}

/** The names in the environment are those of OpenTelemetry, so that what everybody sets is enough. */
function telemetryOf(
  { endpoint, headers }: TelemetryConfig = { headers: {} },
  env: Words,
  flag: string | undefined,
): TelemetrySettings | undefined {
  const service = env['OTEL_SERVICE_NAME'] || 'octo-host';
  const whole = env['OTEL_EXPORTER_OTLP_TRACES_ENDPOINT'];
  if (!flag && whole) {
    const url = collectorUrl('OTEL_EXPORTER_OTLP_TRACES_ENDPOINT', whole, '');
    return { url, headers, service };
  }
  const named: readonly (readonly [string, string | undefined])[] = [
    ['--telemetry-endpoint', flag],
    ['OTEL_EXPORTER_OTLP_ENDPOINT', env['OTEL_EXPORTER_OTLP_ENDPOINT']],
    ['host.telemetry.endpoint', endpoint],
  ];
  const [name, text] = named.find(([, value]) => value) ?? [];
  if (name === undefined || text === undefined) return undefined;
  return { url: collectorUrl(name, text, 'v1/traces'), headers, service };
}

function collectorUrl(name: string, text: string, path: string): string {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  // A password in the address would stand in logs; headers are for that.
  if (url === undefined || !/^https?:$/.test(url.protocol) || url.username || url.password)
    throw invalid(
      name,
      text.replace(/\/\/[^@/]*@/, '//…@'),
      'an http or https address without a login',
    );
  if (path !== '') url.pathname = `${url.pathname.replace(/\/+$/, '')}/${path}`;
  return url.href;
}

function wholeNumber(
  name: string,
  text: string | undefined,
  least: number,
  most: number,
): number | undefined {
  if (text === undefined || text === '') return undefined;
  const value = /^[0-9]{1,9}$/.test(text) ? Number(text) : Number.NaN;
  if (value >= least && value <= most) return value;
  throw invalid(name, text, `a number from ${least} to ${most}`);
}

function yesOrNo(name: string, text: string | undefined): boolean | undefined {
  if (text === undefined || text === '') return undefined;
  if (text === '1' || text === 'true') return true;
  if (text === '0' || text === 'false') return false;
  throw invalid(name, text, '1 or 0');
}

function invalid(name: string, text: string, wanted: string): OctoError {
  return new OctoError('OCTO_SETTING_INVALID', `${name} is ${wanted}, not '${escapeText(text)}'`);
}
