import { definePlugin, PluginError } from '@octo/plugin-api';

export default definePlugin({
  name: 'acme',
  kind: 'provider',
  summary: 'Files that Acme names in the index.json of its web server',
  configSchema: {
    type: 'object',
    required: ['baseUrl', 'token'],
    additionalProperties: false,
    properties: {
      baseUrl: { type: 'string', format: 'uri', description: 'where index.json is, without it' },
      token: { type: 'string', secret: true, description: 'sent as bearer token' },
    },
    examples: [{ baseUrl: 'https://files.acme.test/outbox/', token: 'from Acme' }],
  },
  // settleMs 0: Acme names complete files only, so nobody needs to watch whether they still grow.
  create: ({ config }) => ({ settleMs: 0, connect: async () => sessionWith(config) }),
});

function sessionWith({ baseUrl, token }) {
  async function get(path, headers, expected, signal) {
    const url = new URL(path, baseUrl);
    const options = { headers: { authorization: `Bearer ${token}`, ...headers }, signal };
    const answer = await fetch(url, options).catch((cause) => {
      throw new PluginError('network', `no connection to ${url}`, { cause });
    });
    if (answer.status === expected) return answer;
    const type = { 401: 'auth', 403: 'auth', 404: 'not_found' }[answer.status] ?? 'provider_down';
    throw new PluginError(type, `Acme answered ${answer.status} to ${url}`);
  }
  async function* list(signal) {
    const index = await get('index.json', {}, 200, signal);
    for (const { name, size, modified } of await index.json())
      yield { path: name, name, size, mtimeMs: Date.parse(modified) };
  }
  async function stat({ path }, signal) {
    for await (const file of list(signal)) if (file.path === path) return file;
    return undefined;
  }
  async function* read({ path }, { offset }, signal) {
    const part = offset === 0 ? {} : { range: `bytes=${offset}-` };
    const file = await get(encodeURIComponent(path), part, offset === 0 ? 200 : 206, signal);
    yield* file.body ?? [];
  }
  return { list, stat, read, async [Symbol.asyncDispose]() {} };
}
