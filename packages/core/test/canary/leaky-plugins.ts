import { pluginModule } from '../workers/workshop.ts';

/** Halves of a text go to the pipe one after the other, so that no reader gets it in one piece. */
const PRINT = `
  const print = async (stream, text) => {
    const middle = Math.floor(text.length / 2);
    await new Promise((done) => stream.write(text.slice(0, middle), done));
    await new Promise((done) => setImmediate(done));
    await new Promise((done) => stream.write(text.slice(middle) + '\\n', done));
  };
  const said = (secret) => [secret, JSON.stringify(secret), encodeURIComponent(secret),
    Buffer.from(secret).toString('base64'), Buffer.from('user:' + secret).toString('base64'),
    Buffer.from('u:' + secret + '.').toString('base64url'), Buffer.from(secret).toString('hex'),
    Buffer.from(secret).toString('hex').toUpperCase()];
  const all = () => secrets.flatMap(said);
  const long = (secret) => 'x'.repeat(1990) + secret;
`;

/** When a provider tells its secrets; `warn` does so in warnings of a file that is delivered. */
export type LeakyPlace = 'start' | 'connect' | 'list' | 'read' | 'warn';
export type LeakyMode = keyof typeof MODES;

const MODES = {
  throws: `const cause = new Error('inside: ' + all().join(' '));
    throw Object.assign(new Error('login failed with ' + all().join(' '), { cause }), { code: secrets[0], url: secrets[0] });`,
  rejects: `throw { message: secrets[0], secret: secrets[0] };`,
  cuts: `throw new Error(long(secrets[0]));`,
  logs: `for (const level of ['debug', 'info', 'warn', 'error']) for (const text of all()) {
      logger[level]({ text, deep: { list: [text], [text]: 1 }, err: new Error(text), map: new Map([[text, text]]) }, 'with ' + text);
      logger[level]({ bytes: Buffer.from(text), long: long(text) }, 'y'.repeat(8180) + text);
    }`,
  prints: `for (const text of all()) { await print(process.stdout, text); await print(process.stderr, 'z ' + text); }
    await print(process.stdout, long(secrets[0])); console.dir({ secrets }); console.log(process.argv, process.env);`,
  dies: `await print(process.stderr, secrets[0]); setImmediate(() => { throw new Error('unseen ' + all().join(' ')); });
    await new Promise(() => {});`,
  exits: `process.title = secrets[0]; await print(process.stdout, 'bye ' + secrets[0]); process.exit(7);`,
  refuses: `yield { ...file, path: 'b.csv', name: 'b.csv', refused: 'UNREADABLE_NAME: ' + all().join(' ') };`,
  waits: `await (await fetch(config.waitAt)).text();`,
} as const;

/** A provider that tells its own secrets, as `config.leaks` says: how, by when. What it lists is one file. */
export const leakyProvider = pluginModule(
  'provider',
  `
  const secrets = Object.values(config.secrets); ${PRINT}
  const file = { path: 'a.csv', name: 'a.csv', size: 2, mtimeMs: 1000, complete: true };
  const modes = { ${Object.entries(MODES)
    .map(([name, code]) => `${name}: async function* () { ${code} }`)
    .join(',\n')} };
  const leak = async function* (at) { const mode = config.leaks?.[at]; if (mode !== undefined) yield* modes[mode](); };
  const drain = async (at) => { for await (const _ of leak(at)); };
  return { settleMs: 0,
    start: () => drain('start'),
    connect: async () => { await drain('connect'); return {
      list: async function* () { yield* leak('list'); yield file; },
      stat: async () => file,
      read: async function* () { await drain('read'); yield Buffer.from('x\\n'); },
      inspect: () => ({ write() {}, finish: () => ({ facts: { rows: 1 }, warnings: config.leaks?.warn !== undefined ? all() : [] }) }),
      async [Symbol.asyncDispose]() {},
    }; },
    health: async () => { throw new Error('not well: ' + all().join(' ')); },
    diagnose: async function* () { for (const text of all()) yield { step: 'say ' + text, outcome: 'warned', detail: text, hint: text }; },
  };`,
  `{ leaks: { type: 'object', additionalProperties: { type: 'string' } }, waitAt: { type: 'string' },
     secrets: { type: 'object', secret: true, additionalProperties: { type: 'string' } } }`,
);

/** A sink that answers with its key: at `config.at`, in pieces where it prints. */
export const leakySink = pluginModule(
  'sink',
  `
  const secrets = [config.key]; ${PRINT}
  const leak = async (at) => { if (config.at !== at) return;
    await print(process.stdout, 'no: ' + config.key);
    throw Object.assign(new Error('the store refused ' + all().join(' ')), { code: config.key }); };
  return { place: 'leaky:', commits: 'conditional', completeGraceMs: 0, smallBytes: 1000,
    abort: () => leak('abort'), head: async () => { await leak('head'); return undefined; },
    stage: async () => { await leak('stage'); return { id: 'u', write: () => leak('write'),
      commit: async () => { await leak('commit'); return { outcome: config.key }; }, async [Symbol.asyncDispose]() {} }; },
  };`,
  `{ at: { type: 'string' }, key: { type: 'string', secret: true } }`,
);
