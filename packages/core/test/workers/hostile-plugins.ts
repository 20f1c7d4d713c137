import { pluginModule } from './workshop.ts';

/** One way to misbehave, and what people are told about it. */
export interface Behaviour {
  /** Instead of the provider below: the whole module. */
  readonly module?: string;
  /** Statements at a place of the provider. */
  readonly at?: 'create' | 'start' | 'connect' | 'list' | 'read' | 'dispose';
  readonly does?: string;
  readonly told: RegExp;
}

const provider = (at: string, does: string) =>
  pluginModule(
    'provider',
    `
  const here = async (place) => { if (place === '${at}') { ${does} } };
  ${at === 'create' ? does : ''}
  const file = { path: 'a.csv', name: 'a.csv', size: 2, mtimeMs: 1000, complete: true };
  return {
    settleMs: 0,
    start: () => here('start'),
    connect: async () => { await here('connect'); return {
      list: async function* () { await here('list'); yield file; },
      stat: async () => file,
      read: async function* () { await here('read'); yield Buffer.from('x\\n'); },
      async [Symbol.asyncDispose]() {},
    }; },
    [Symbol.asyncDispose]: () => here('dispose'),
  };`,
  );

/** A frame as the wire has it, written past the program of the worker. */
const frame = (json: string) => `
  const fs = await import('node:fs');
  const text = Buffer.from(${JSON.stringify(json)});
  const head = Buffer.alloc(4); head.writeUInt32BE(text.length);
  fs.writeSync(3, Buffer.concat([head, text]));
  await new Promise(() => {});`;

export const behaviours: Readonly<Record<string, Behaviour>> = {
  'throws while it is imported': {
    module: `throw new Error('boom at import');`,
    told: /failed while it was loaded: boom at import/,
  },
  'never comes to the end of its import': {
    module: `await new Promise(() => {}); export default 1;`,
    told: /did not come to an end within 3000 ms|did not answer within/,
  },
  'exits while it is imported': {
    module: `process.exit(7);`,
    told: /its process ended with exit code 7/,
  },
  'blocks the event loop while it is imported': {
    module: `for (;;);`,
    told: /its process (gave no sign of life|did not come to an end)/,
  },
  'has no default export': { module: `export const x = 1;`, told: /has no default export/ },
  'is not a plugin': { module: `export default 42;`, told: /not what definePlugin returns/ },
  'speaks another contract': {
    module: provider('', '').replace('contract: 1', 'contract: 99'),
    told: /was written for contract 99/,
  },
  'has a schema that lets typing errors pass': {
    module: provider('', '').replace('additionalProperties: false,', ''),
    told: /has a configuration schema that is not right/,
  },
  'throws when it is created': {
    at: 'create',
    does: `throw new Error('boom at create');`,
    told: /boom at create/,
  },
  'is created asynchronously': {
    module: pluginModule('provider', `return Promise.resolve({ settleMs: 0 });`),
    told: /has an asynchronous create/,
  },
  'throws when it starts': {
    at: 'start',
    does: `throw new Error('boom at start');`,
    told: /did not start: boom at start/,
  },
  'never starts': {
    at: 'start',
    does: `await new Promise(() => {});`,
    told: /start of plugin '.*' did not answer within 1000 ms/,
  },
  'throws what is no error': { at: 'connect', does: `throw 42;`, told: /a thrown number/ },
  'throws an error whose parts throw': {
    at: 'connect',
    does: `throw new Proxy(new Error('x'), { get() { throw new Error('trap'); } });`,
    told: /is no error|trap|unreadable|thrown/,
  },
  'throws ten megabytes': {
    at: 'connect',
    does: `throw new Error('y'.repeat(10_000_000));`,
    told: /^y{2000}…$/,
  },
  'never connects': {
    at: 'connect',
    does: `await new Promise(() => {});`,
    told: /did not answer within 1000 ms/,
  },
  'blocks the event loop': { at: 'list', does: `for (;;);`, told: /gave no sign of life/ },
  exits: { at: 'list', does: `process.exit(3);`, told: /ended with exit code 3/ },
  aborts: { at: 'list', does: `process.abort();`, told: /was ended by SIGABRT/ },
  'dies of a segmentation fault': {
    at: 'list',
    does: `process.kill(process.pid, 'SIGSEGV'); await new Promise(() => {});`,
    told: /was ended by SIGSEGV/,
  },
  'stops itself': {
    at: 'list',
    does: `process.kill(process.pid, 'SIGSTOP'); await new Promise(() => {});`,
    told: /gave no sign of life/,
  },
  'throws later, where nobody catches': {
    at: 'list',
    does: `setTimeout(() => { throw new Error('late boom'); }, 1); await new Promise(() => {});`,
    told: /threw where nobody catches: late boom/,
  },
  'rejects where nobody listens': {
    at: 'list',
    does: `Promise.reject(new Error('unheard boom')); await new Promise(() => {});`,
    told: /threw where nobody catches: unheard boom/,
  },
  'fills the heap': {
    at: 'list',
    does: `const all = []; for (;;) all.push(new Array(100_000).fill(all.length));`,
    told: /was ended by SIGABRT|held \d+ MiB of memory|gave no sign of life|exit code 134/,
  },
  'fills memory with buffers': {
    at: 'list',
    // With an end, for the sake of the machine on which nobody minds.
    does: `const all = []; for (let n = 0; n < 40; n++) { all.push(Buffer.alloc(16 * 1024 * 1024, 1)); await new Promise(setImmediate); }
      await new Promise(() => {});`,
    told: /held \d+ MiB of memory; limits.maxMemory is 160 MiB/,
  },
  'starts processes': {
    at: 'list',
    does: `const { spawn } = await import('node:child_process'); for (let n = 0; n < 100; n++) spawn('sleep', ['60']);`,
    told: /Access to this API has been restricted/,
  },
  'signals its host': {
    at: 'list',
    does: `process.kill(process.ppid, 'SIGKILL');`,
    told: /may not signal other processes/,
  },
  'writes garbage to its host': {
    at: 'list',
    does: `(await import('node:fs')).writeSync(3, Buffer.alloc(64, 0xff)); await new Promise(() => {});`,
    told: /broke the protocol between host and workers/,
  },
  'reaches for a prototype': {
    at: 'list',
    does: frame(`{"kind":"tell","name":"log","args":["","info",{"__proto__":{"x":1}},"m"]}`),
    told: /a name is '__proto__'/,
  },
  'asks for what is not offered': {
    at: 'list',
    does: frame(`{"kind":"ask","id":900,"name":"ledger","args":["1","release",["x"]]}`),
    told: /asks the ledger for something that is not offered/,
  },
  'speaks for another pipeline': {
    at: 'list',
    does: frame(
      `{"kind":"ask","id":900,"name":"ledger","args":["1","countOpen",[{"pipeline":"healthy","sink":"s"}]]}`,
    ),
    told: /speaks for pipeline 'healthy', not its own/,
  },
  'names a delivery of somebody else': {
    at: 'list',
    does: frame(`{"kind":"ask","id":900,"name":"ledger","args":["1","find",["0123"]]}`),
    told: /names a delivery that is not its own/,
  },
  'lists what is no file': {
    module: provider('', '').replace('size: 2', `size: 'many'`),
    told: /must be a whole number/,
  },
  'logs without end': {
    at: 'connect',
    does: `for (let n = 0; n < 5000; n++) { logger.info({ n }, 'again'); if (n % 50 === 0) await new Promise(setImmediate); }
      throw new Error('enough logged');`,
    told: /enough logged/,
  },
};

/** The module of a behaviour. */
export function hostileModule({ module, at, does = '' }: Behaviour): string {
  return module ?? provider(at ?? '', does);
}
