import { proofOf, type S3Simulator } from '@octo/plugin-testing';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { expect, onTestFinished, test, vi } from 'vitest';
import { ImpatientClock } from './impatient-clock.ts';
import {
  configFor,
  failureOf,
  openSink,
  quiet,
  sample,
  simulator,
  sinkOf,
  staged,
} from './open-sink.ts';

const BYTES = sample(500);

/** The place where a container of the SDK's chain finds its credentials. */
async function credentialsServer(tokens: readonly string[]): Promise<{ asked: () => number }> {
  let asked = 0;
  const server = createServer((_, response) => {
    const Token = tokens[Math.min(asked, tokens.length - 1)] ?? '';
    asked += 1;
    response.setHeader('content-type', 'application/json').end(
      JSON.stringify({
        AccessKeyId: `ASIA${Token}`,
        SecretAccessKey: `secret of ${Token}`,
        Token,
        Expiration: new Date(Date.now() + 3_600_000).toISOString(),
      }),
    );
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => void server.close());
  const { port } = server.address() as AddressInfo;
  for (const name of ['AWS_ACCESS_KEY_ID', 'AWS_SECRET_ACCESS_KEY', 'AWS_PROFILE']) {
    vi.stubEnv(name, undefined);
  }
  vi.stubEnv('AWS_CONFIG_FILE', '/nonexistent');
  vi.stubEnv('AWS_SHARED_CREDENTIALS_FILE', '/nonexistent');
  vi.stubEnv('AWS_CONTAINER_CREDENTIALS_FULL_URI', `http://127.0.0.1:${port}/credentials`);
  onTestFinished(() => void vi.unstubAllEnvs());
  return { asked: () => asked };
}

function know(s3: S3Simulator, token: string): void {
  const sessionToken = token;
  s3.addCredentials({
    accessKeyId: `ASIA${token}`,
    secretAccessKey: `secret of ${token}`,
    sessionToken,
  });
}

test("come from the SDK's chain by default, and are refreshed when they expire in the middle", async () => {
  const { asked } = await credentialsServer(['ONE', 'TWO']);
  const s3 = await simulator();
  know(s3, 'ONE');
  know(s3, 'TWO');
  const { credentials: _, ...config } = configFor(s3);
  const sink = sinkOf(config, new ImpatientClock());
  onTestFinished(() => sink[Symbol.asyncDispose]());
  const upload = await staged(sink, 'key', BYTES);
  expect(asked()).toBe(1);
  s3.expireToken('ONE');
  expect(await upload.commit(proofOf(BYTES), quiet)).toMatchObject({ outcome: 'committed' });
  expect(asked()).toBe(2);
});

test('that stay expired are reported as such', async () => {
  const s3 = await simulator();
  const credentials = { accessKeyId: 'ASIA', secretAccessKey: 'secret', sessionToken: 'old' };
  s3.addCredentials(credentials);
  s3.expireToken('old');
  const { sink } = await openSink(s3, { credentials });
  const failure = await failureOf(sink.stage({ key: 'key', metadata: {} }, quiet));
  expect(failure).toMatchObject({ type: 'auth', code: 'EXPIRED_TOKEN' });
  expect(failure.message).not.toContain('secret');
});

test('signed by a clock that is an hour wrong are good after the first refusal', async () => {
  const s3 = await simulator({ clock: { now: () => Date.now() + 3_600_000 } });
  const { sink, logger } = await openSink(s3);
  expect(logger.messages('warn')).toEqual([]);
  const upload = await staged(sink, 'key', BYTES);
  expect(await upload.commit(proofOf(BYTES), quiet)).toMatchObject({ outcome: 'committed' });
});
