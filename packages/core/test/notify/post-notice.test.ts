import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { systemClock } from '../../src/host/system-clock.ts';
import { postNotice } from '../../src/notify/post-notice.ts';
import { webhookOf } from '../../src/notify/webhook.ts';
import { nameServer } from '../egress/name-server.ts';

let server: Server;
let port = 0;
let paths: (string | undefined)[] = [];
beforeAll(async () => {
  server = createServer((request, response) => {
    paths.push(request.url);
    const location = `http://127.0.0.1:${port}/led-on`;
    if (request.url === '/redirect') response.writeHead(307, { location });
    response.end('not read');
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  ({ port } = server.address() as AddressInfo);
});
afterAll(() => void server.close());
beforeEach(() => (paths = []));

const never = new AbortController().signal;
const message = { id: 'msg_1', body: '{}' };
const secret = 'correct horse battery staple';

/** Posts to a name of which a name server says these addresses, one after the other. */
async function posted(path: string, answers: readonly (readonly string[])[], allow: object = {}) {
  const names = nameServer(...answers);
  const webhook = webhookOf({
    name: 'ops',
    on: ['failed'],
    url: `http://hooks.test:${port}${path}`,
    secret,
    allow: { hosts: [], privateNetworks: false, ...allow },
  });
  const answer = await postNotice(webhook, message, systemClock, never, names.lookup);
  return { answer, asked: names.asked.length };
}

test.each([
  ['127.0.0.1', 'hooks.test'],
  ['10.1.2.3', 'hooks.test'],
  ['169.254.169.254', '169.254.169.254'],
])(
  'a webhook whose name leads to %s is not told, and it is said how to let it',
  async (address, host) => {
    const { answer } = await posted('/hook', [[address]]);
    expect(answer).toMatchObject({ answer: 'refused' });
    const { trouble } = answer as { readonly trouble: string };
    expect(trouble).toContain(`hooks.test leads to ${address}, which is`);
    expect(trouble).toContain(`let the webhook: "allow": { "hosts": ["${host}"] } beside its url`);
    expect(paths).toEqual([]);
  },
);

test('a webhook within reach of what the manifest allows is told, at the address that was looked at', async () => {
  const { answer, asked } = await posted('/hook', [['127.0.0.1'], ['10.9.9.9']], {
    hosts: ['hooks.test'],
  });
  expect(answer).toEqual({ answer: 'taken' });
  expect(asked).toBe(1);
  expect(paths).toEqual(['/hook']);
});

test('an allowed name opens no link-local address, and private networks open no other kind', async () => {
  const named = await posted('/hook', [['169.254.169.254']], { hosts: ['hooks.test'] });
  expect(named.answer.answer).toBe('refused');
  const wide = await posted('/hook', [['127.0.0.1']], { privateNetworks: true });
  expect(wide.answer.answer).toBe('refused');
  expect(paths).toEqual([]);
});

test('a redirect is a refusal, and where it leads nobody is asked', async () => {
  const { answer } = await posted('/redirect', [['127.0.0.1'], ['127.0.0.1']], {
    hosts: ['hooks.test', '127.0.0.1'],
  });
  expect(answer).toEqual({ answer: 'refused', trouble: 'it answered 307' });
  expect(paths).toEqual(['/redirect']);
});
