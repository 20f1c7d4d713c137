import { expect, test } from 'vitest';
import { hostSettings } from '../../src/manifest/host-settings.ts';
import { manifestOf } from '../host/fake-plugins.ts';

const withHost = (host?: object) =>
  manifestOf({ plugins: { lake: { use: './lake' } }, ...(host === undefined ? {} : { host }) });

test('without a word the API is not served, and the rest has its defaults', async () => {
  const { host } = await withHost();
  expect(hostSettings(host, {})).toEqual({ retentionDays: 30 });
});

test('an empty "api" serves it on loopback', async () => {
  const { host } = await withHost({ api: {} });
  expect(hostSettings(host, {}).api).toEqual({
    address: '127.0.0.1',
    port: 8470,
    insecure: false,
    cors: [],
    requestsPerSecond: 1000,
    maxBodyBytes: 1_048_576,
  });
});

test('a default gives way to the file, the file to the environment, that to a flag', async () => {
  const { host } = await withHost({
    api: { port: 1001, address: '127.0.0.2' },
    retention: { runsDays: 7 },
  });
  const env = { OCTO_API_PORT: '1002', OCTO_API_ADDRESS: '127.0.0.3', OCTO_RETENTION_DAYS: '8' };
  const flags = { 'api-port': '1003', 'api-address': '127.0.0.4' };
  const seen = [hostSettings(host, {}), hostSettings(host, env), hostSettings(host, env, flags)];
  expect(seen.map(({ api }) => api?.port)).toEqual([1001, 1002, 1003]);
  expect(seen.map(({ api }) => api?.address)).toEqual(['127.0.0.2', '127.0.0.3', '127.0.0.4']);
  expect(seen.map(({ retentionDays }) => retentionDays)).toEqual([7, 8, 8]);
  expect(hostSettings(undefined, { OCTO_API_PORT: '1002' }).api?.port).toBe(1002);
  expect(hostSettings(host, { OCTO_API_PORT: '' }).api?.port).toBe(1001);
});

test.each([
  [{ OCTO_API_PORT: 'http' }, "OCTO_API_PORT is a number from 0 to 65535, not 'http'"],
  [{ OCTO_API_PORT: '65536' }, 'OCTO_API_PORT is a number from 0 to 65535'],
  [{ OCTO_API_PORT: '1', OCTO_API_INSECURE: 'maybe' }, 'OCTO_API_INSECURE is 1 or 0'],
  [{ OCTO_RETENTION_DAYS: '0' }, 'OCTO_RETENTION_DAYS is a number from 1 to 3650'],
])('%j is refused, with what it should be', (env, problem) => {
  expect(() => hostSettings(undefined, env)).toThrow(problem);
});

test.each([
  [{ api: { prot: 1 } }, "host/api/prot is not known; did you mean 'port'?"],
  [{ api: { port: 65_536 } }, 'host/api/port'],
  [{ api: { cors: ['*'] } }, 'host/api/cors/0'],
  [{ api: { tls: { cert: 'x' } } }, 'host/api/tls'],
  [{ api: { tls: { cert: 'x', key: 'x' } } }, 'host/api/tls/key is written out'],
  [
    { api: { issuer: { url: 'x', audience: 'x', jwks: 'http://elsewhere.example/jwks' } } },
    'host/api/issuer/jwks',
  ],
  [{ retention: { runsDays: 0 } }, 'host/retention/runsDays'],
])('slips of the section are told like all others: %j', async (host, problem) => {
  await expect(withHost(host)).rejects.toThrow(problem);
});

test('traces go nowhere unless somebody says where; a flag wins over the environment, that over the file', async () => {
  const { host } = await withHost({ telemetry: { endpoint: 'http://file.test:4318/' } });
  const base = { OTEL_EXPORTER_OTLP_ENDPOINT: 'http://base.test:4318/otlp' };
  const whole = { ...base, OTEL_EXPORTER_OTLP_TRACES_ENDPOINT: 'http://whole.test/take' };
  const flag = { 'telemetry-endpoint': 'https://flag.test' };
  const urlOf = (...given: Parameters<typeof hostSettings>) =>
    hostSettings(...given).telemetry?.url;
  expect(urlOf(undefined, {})).toBeUndefined();
  expect(urlOf(host, {})).toBe('http://file.test:4318/v1/traces');
  expect(urlOf(host, base)).toBe('http://base.test:4318/otlp/v1/traces');
  expect(urlOf(host, whole)).toBe('http://whole.test/take');
  expect(urlOf(host, whole, flag)).toBe('https://flag.test/v1/traces');
  expect(hostSettings(host, { OTEL_SERVICE_NAME: 'feeds' }).telemetry?.service).toBe('feeds');
});

test.each(['collector:4318', 'ftp://collector.test', 'http://user:hunter2@collector.test'])(
  'the collector %j is refused, without telling a password',
  (url) => {
    const settings = () => hostSettings(undefined, { OTEL_EXPORTER_OTLP_ENDPOINT: url });
    expect(settings).toThrow('OTEL_EXPORTER_OTLP_ENDPOINT is an http or https address');
    expect(settings).not.toThrow('hunter2');
  },
);
