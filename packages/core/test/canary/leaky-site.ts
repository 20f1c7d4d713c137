/** A host with a secret in every slot there is, and plugins, vendors and stores that tell them. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { generateKeyPairSync } from 'node:crypto';
import { fileURLToPath } from 'node:url';
import { startS3, startSftp, type S3Simulator } from '@octo/plugin-testing';
import { generateX25519Identity } from 'age-encryption';
import { createMessage, encrypt, generateKey, readKey } from 'openpgp';
import { Client } from 'pg';
import { postgresServer } from '../ledger/postgres-server.ts';
import { Canaries } from './canaries.ts';
import { type EchoingServer, startEchoing } from './echoing-server.ts';
import { type LeakyMode, type LeakyPlace, leakyProvider, leakySink } from './leaky-plugins.ts';

const packages = fileURLToPath(new URL('../../../', import.meta.url));
const octoHost = join(packages, 'core/bin/octo-host.mjs');

/** How a pipeline's plugins tell their secrets. */
export interface Leak {
  readonly from: { readonly [place in LeakyPlace]?: LeakyMode };
  /** Where the sink answers with its key; without it the sink is a folder. */
  readonly sinkAt?: string;
}

export interface Said {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

export interface LeakySite extends AsyncDisposable {
  readonly folder: string;
  readonly canaries: Canaries;
  readonly s3: S3Simulator;
  readonly echoing: EchoingServer;
  readonly database: Client;
  /** Pipelines whose run ends, in whatever way. */
  readonly pipelines: readonly string[];
  readonly manifest: Manifest;
  /** One command line of the built program, from its start to its end. */
  octo(...argv: readonly string[]): Promise<Said>;
  /** `start`, with the API. */
  start(): Promise<RunningHost>;
}

export interface RunningHost {
  readonly pid: number;
  readonly url: string;
  /** Resolves when every pipeline's run has ended once. */
  readonly ran: Promise<void>;
  stop(): Promise<Said>;
}

interface Manifest {
  readonly plugins: Readonly<Record<string, unknown>>;
  readonly pipelines: Readonly<Record<string, unknown>>;
  readonly host: unknown;
}

/** @param leaks by pipeline; beside them vendors and a store that echo what they are given, and a run that goes well */
export async function openLeakySite(
  leaks: Readonly<Record<string, Leak>>,
  whileAWorkerRuns: () => Promise<void>,
): Promise<LeakySite> {
  await using opening = new AsyncDisposableStack();
  const folder = await mkdtemp(join(tmpdir(), 'octo-leaky-'));
  opening.defer(() => rm(folder, { recursive: true, force: true, maxRetries: 5 }));
  const canaries = new Canaries();
  const secrets = await slots(canaries, folder);
  const echoing = opening.use(await startEchoing(secrets.echoed, whileAWorkerRuns));
  const s3 = opening.use(await startS3({ buckets: ['lake'], credentials: secrets.s3 }));
  const sftp = opening.use(
    await startSftp({ users: [{ username: 'octo', password: secrets.password }] }),
  );
  sftp.tree.folder('/in');
  sftp.tree.file('/in/a.csv.pgp', secrets.encrypted);
  const server = opening.use(await postgresServer());
  const database = new Client(server.config);
  await database.connect();
  opening.defer(() => database.end());
  const login = database.escapeLiteral(secrets.database);
  await database.query(`create role canary login superuser password ${login}`);

  const leaky = Object.entries(leaks).flatMap(([id, leak]) =>
    leakyPair(id, leak, canaries, echoing.url),
  );
  const vendor = { host: sftp.host, port: sftp.port, username: 'octo', hostKeys: sftp.hostKeys };
  const inbox = { remoteDir: '/in', pattern: '.+', settleMs: 0 };
  const lake = { bucket: 'lake', region: s3.region, endpoint: s3.endpoint };
  const use = (name: string, config: object) => ({ use: join(packages, name), config });
  const policy = { attempts: 1, timeoutMs: 30_000 };
  const manifest: Manifest = {
    plugins: {
      good: {
        ...use('provider-affirm', { ...vendor, ...inbox, password: '${secret:vendor}' }),
        policy,
      },
      refused: {
        ...use('provider-affirm', {
          ...vendor,
          ...inbox,
          password: '${file:wrong}',
          privateKey: '${file:ssh-key}',
          passphrase: '${env:PASSPHRASE}',
        }),
        policy,
      },
      bloomberg: {
        ...use('provider-bloomberg', {
          clientId: secrets.clientId,
          clientSecret: '${env:CLIENT_SECRET}',
          auth: 'oauth2',
          endpoint: `${echoing.url}/eap`,
          tokenEndpoint: `${echoing.url}/token`,
        }),
        policy,
      },
      lake: { ...use('sink-s3', { ...lake, credentials: secrets.s3References }), policy },
      lost: {
        ...use('sink-s3', {
          ...lake,
          endpoint: echoing.url,
          credentials: {
            accessKeyId: secrets.strangerId,
            secretAccessKey: secrets.stranger,
            sessionToken: secrets.session,
          },
        }),
        policy,
      },
      folder: use('sink-fs', { directory: './out' }),
      ...Object.fromEntries(leaky.map(({ plugins }) => plugins).flatMap(Object.entries)),
    },
    pipelines: {
      good: pipeline('good', 'lake', [{ decrypt: secrets.openPgp }]),
      refused: pipeline('refused', 'folder'),
      bloomberg: pipeline('bloomberg', 'folder'),
      lost: pipeline('good', 'lost'),
      ...Object.fromEntries(leaky.map(({ pipeline: one }) => one)),
    },
    host: {
      notify: {
        ops: {
          url: `${echoing.url}/hook?token=${secrets.hookToken}`,
          secret: '${secret:hook}',
          on: ['delivered', 'quarantined', 'failed'],
        },
        literal: { url: `${echoing.url}/other`, secret: secrets.hookLiteral, on: ['failed'] },
      },
    },
  };
  await writeFile(join(folder, 'provider.mjs'), leakyProvider);
  await writeFile(join(folder, 'sink.mjs'), leakySink);
  await writeFile(join(folder, 'plugins.json'), JSON.stringify(manifest, null, 2));

  const env = {
    PATH: process.env['PATH'],
    HOME: folder,
    OCTO_LOG: 'debug',
    DATABASE_URL: `postgres://canary:${encodeURIComponent(secrets.database)}@/postgres?host=${server.config.host}`,
    ...secrets.env,
    ...Object.fromEntries(leaky.flatMap(({ env: own }) => Object.entries(own))),
  };
  const launch = (argv: readonly string[], input = '') => {
    const child = spawn(process.execPath, [octoHost, ...argv], {
      cwd: folder,
      env,
      stdio: ['pipe', 'pipe', 'pipe'],
    });
    child.stdin.on('error', () => {}).end(input);
    const said = { stdout: '', stderr: '' };
    child.stdout.setEncoding('utf8').on('data', (text: string) => (said.stdout += text));
    child.stderr.setEncoding('utf8').on('data', (text: string) => (said.stderr += text));
    const ended = once(child, 'close').then(([code]) => ({ code: code as number | null, ...said }));
    return { child, said, ended };
  };
  await fillStore((argv, input) => launch(argv, input).ended, secrets.stored);
  const pipelines = Object.keys(manifest.pipelines);
  const closing = opening.move();
  return {
    folder,
    canaries,
    s3,
    echoing,
    database,
    pipelines,
    manifest,
    octo: (...argv) => launch(argv).ended,
    async start() {
      const { child, said, ended } = launch([
        'start',
        '--log',
        'json',
        '--api-port',
        '0',
        '--no-watch',
      ]);
      closing.defer(() => void child.kill('SIGKILL'));
      const listens = Promise.withResolvers<string>();
      const ran = Promise.withResolvers<void>();
      child.stderr.on('data', () => {
        const url = /"url":"(http:[^"]+)","message":"the API listens"/.exec(said.stderr)?.[1];
        if (url !== undefined) listens.resolve(url);
        if (pipelines.every((id) => hasEnded(said.stderr, id))) ran.resolve();
      });
      const giveUp = ({ stderr }: Said) => {
        listens.reject(new Error(stderr));
        ran.reject(new Error(stderr));
        return undefined;
      };
      void ended.then(giveUp);
      ran.promise.catch(() => {});
      return {
        pid: child.pid!,
        url: await listens.promise,
        ran: ran.promise,
        async stop() {
          child.kill('SIGTERM');
          return await ended;
        },
      };
    },
    [Symbol.asyncDispose]: () => closing.disposeAsync(),
  };
}

/** What a store gives, put into it as an operator does. */
async function fillStore(
  octo: (argv: readonly string[], input?: string) => Promise<Said>,
  secrets: object,
): Promise<void> {
  for (const said of [
    await octo(['secrets', 'init']),
    await octo(['secrets', 'import', '-'], JSON.stringify(secrets)),
  ])
    if (said.code !== 0) throw new Error(said.stderr);
}

const ENDED = /^(run finished|the run failed)/;

/** By the log of a host. */
function hasEnded(log: string, pipeline: string): boolean {
  return log.split('\n').some((line) => {
    if (!line.includes(`"pipeline":"${pipeline}"`)) return false;
    return ENDED.test(/"message":"([^"]+)"\}$/.exec(line)?.[1] ?? '');
  });
}

function pipeline(from: string, to: string, steps: readonly unknown[] = []) {
  return { from, to, steps, key: '{pipeline}/{name}', every: '1h', doubleRead: false };
}

function leakyPair(id: string, { from, sinkAt }: Leak, canaries: Canaries, url: string) {
  const variable = id.toUpperCase().replaceAll('-', '_');
  const env = {
    [`${variable}_A`]: canaries.make(`a variable of ${id}`),
    [`${variable}_KEY`]: canaries.make(`the key of the sink of ${id}`),
  };
  const secrets = {
    variable: `\${env:${variable}_A}`,
    literal: canaries.make(`a literal of ${id}`),
    plain: canaries.make(`a plain literal of ${id}`, { awkward: false }),
  };
  const policy = { attempts: 1, timeoutMs: 30_000 };
  const sink = { at: sinkAt, key: `\${env:${variable}_KEY}` };
  const own =
    sinkAt === undefined ? {} : { [`${id}-sink`]: { use: './sink.mjs', config: sink, policy } };
  return {
    env,
    plugins: {
      [id]: {
        use: './provider.mjs',
        config: { secrets, leaks: from, waitAt: `${url}/wait` },
        policy,
      },
      ...own,
    },
    pipeline: [id, pipeline(id, sinkAt === undefined ? 'folder' : `${id}-sink`)] as const,
  };
}

/** What is in every slot but those of the plugins of the leaks. */
async function slots(canaries: Canaries, folder: string) {
  const passphrase = canaries.make('the passphrase of the SSH key');
  const sshKey = encryptedKey(passphrase);
  const s3 = {
    accessKeyId: `AKIA${canaries
      .make('S3 key id', { awkward: false })
      .toUpperCase()
      .replace(/[^A-Z]/g, 'A')
      .slice(0, 16)}`,
    secretAccessKey: canaries.make('S3 secret'),
  };
  const clientSecret = canaries.add(
    'client secret',
    Buffer.from(canaries.make('inside of the client secret', { awkward: false }))
      .toString('hex')
      .padEnd(64, '5')
      .slice(0, 64),
  );
  const hookSecret = canaries.add(
    'webhook secret',
    `whsec_${Buffer.from(canaries.make('inside of the webhook secret', { awkward: false })).toString('base64')}`,
  );
  const wrong = canaries.make('a password that the vendor refuses');
  const password = canaries.make('password');
  const stranger = canaries.make('S3 secret of a stranger');
  await writeFile(join(folder, 'wrong'), wrong, { mode: 0o600 });
  await writeFile(join(folder, 'ssh-key'), canaries.add('SSH key', sshKey), { mode: 0o600 });
  const pgpPassphrase = canaries.make('OpenPGP passphrase');
  const userIDs = [{ email: 'octo@test.invalid' }];
  const pgp = await generateKey({ userIDs, passphrase: pgpPassphrase, format: 'armored' });
  canaries.add('OpenPGP key', secretLines(pgp.privateKey));
  await writeFile(join(folder, 'openpgp'), pgp.privateKey, { mode: 0o600 });
  return {
    password,
    s3,
    s3References: { accessKeyId: '${env:S3_ID}', secretAccessKey: '${env:S3_SECRET}' },
    strangerId: 'AKIASTRANGERSTRANGER',
    stranger,
    session: canaries.make('session token'),
    clientId: '0123456789abcdef0123456789abcdef',
    hookToken: canaries.make('token in the URL of a webhook', { awkward: false }),
    hookLiteral: canaries.make('a webhook secret in the manifest'),
    database: canaries.make('password of the database'),
    encrypted: await messageTo(pgp.publicKey),
    openPgp: {
      keys: ['${file:openpgp}'],
      passphrases: [canaries.make('a passphrase in the manifest'), '${env:PGP_PASSPHRASE}'],
    },
    echoed: [clientSecret, stranger, hookSecret],
    stored: {
      vendor: { value: password, grants: ['good'] },
      hook: { value: hookSecret, grants: ['host:notify'] },
    },
    env: {
      OCTO_MASTER_KEY: canaries.add('the master key', await generateX25519Identity()),
      PASSPHRASE: passphrase,
      S3_ID: s3.accessKeyId,
      S3_SECRET: s3.secretAccessKey,
      CLIENT_SECRET: clientSecret,
      PGP_PASSPHRASE: pgpPassphrase,
    },
  };
}

/** As OpenSSH wrote keys before it had a form of its own. */
function encryptedKey(passphrase: string): string {
  const { privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
  const cipher = { cipher: 'aes-256-cbc', passphrase };
  return privateKey.export({ type: 'pkcs1', format: 'pem', ...cipher });
}

/** What an armored key begins and ends with is said by every key. */
function secretLines(armored: string): string {
  return armored
    .split('\n')
    .filter((line) => line.length > 40)
    .join('\n');
}

async function messageTo(publicKey: string): Promise<Buffer> {
  const message = await createMessage({ binary: Buffer.from('x\n') });
  const encryptionKeys = await readKey({ armoredKey: publicKey });
  return Buffer.from(await encrypt({ message, encryptionKeys, format: 'binary' }));
}
