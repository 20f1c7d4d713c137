import { allImports, codeOf, type Import, type SourceTree } from './source-tree.ts';

/**
 * Which room of core may import which: a folder, or one file where only that is meant to be known. `cli` stands above
 * all and `errors` and `observe` below. A host is given pipelines' steps and makes what a run needs, so it knows the two
 * files that say what those are; the pipeline knows nothing of the host.
 */
export const ROOMS: Readonly<Record<string, readonly string[]>> = {
  cli: [
    'api',
    'auth',
    'audit',
    'jobs',
    'notify',
    'telemetry',
    'policy',
    'secrets',
    'wire/brief.ts',
    'workers/worker-status.ts',
    'pipeline',
    'host',
    'manifest',
    'ledger',
    'state',
    'resilience',
    'observe',
    'errors',
  ],
  jobs: ['pipeline', 'host', 'manifest', 'ledger', 'resilience', 'observe', 'errors'],
  notify: ['egress', 'manifest/manifest.ts', 'ledger', 'resilience', 'observe', 'errors'],
  telemetry: ['pipeline/run-report.ts', 'resilience', 'observe', 'errors'],
  // It stands around a run, and knows what a run tells.
  policy: [
    'pipeline/run-report.ts',
    'manifest/manifest.ts',
    'ledger',
    'resilience',
    'observe',
    'errors',
  ],
  api: [
    'auth',
    'audit',
    'jobs/runs.ts',
    'host',
    'manifest',
    'ledger',
    'pipeline/run-report.ts',
    'policy/breakers.ts',
    'policy/shown-breaker.ts',
    'observe',
    'errors',
  ],
  secrets: ['manifest/secret-source.ts', 'manifest/read-bounded.ts', 'state', 'observe', 'errors'],
  auth: [
    'audit',
    'egress',
    'manifest/manifest.ts',
    'ledger/postgres/database.ts',
    'state',
    'observe',
    'errors',
  ],
  // It writes down what a host and its ledger do, and stands around both.
  audit: [
    'egress',
    'host/host.ts',
    'host/instance.ts',
    'pipeline/run-report.ts',
    'manifest',
    'ledger',
    'state',
    'observe',
    'errors',
  ],
  // The program of a worker is a small host for one pipeline.
  worker: ['egress', 'host', 'pipeline', 'ledger', 'manifest', 'wire', 'observe', 'errors'],
  host: [
    'workers',
    'wire',
    'pipeline/step.ts',
    'pipeline/run-pipeline.ts',
    'pipeline/run-report.ts',
    'manifest',
    'resilience',
    'observe',
    'errors',
  ],
  workers: [
    'wire',
    'pipeline/object-key.ts',
    'pipeline/run-pipeline.ts',
    'pipeline/run-report.ts',
    'ledger',
    'manifest',
    'resilience',
    'observe',
    'errors',
  ],
  wire: ['pipeline/run-report.ts', 'ledger', 'manifest', 'observe', 'errors'],
  pipeline: ['ledger', 'manifest/manifest.ts', 'resilience', 'observe', 'errors'],
  egress: ['manifest/manifest.ts'],
  manifest: ['observe', 'errors'],
  ledger: ['state', 'host/system-clock.ts', 'resilience', 'observe', 'errors'],
  state: ['ledger/postgres', 'resilience', 'observe', 'errors'],
  resilience: ['observe', 'errors'],
  observe: [],
  errors: [],
};

/** Which packages of the workspace a package may import; plugins have the contract, the SFTP session and the checksum of S3. */
const PACKAGES: Readonly<Record<string, readonly string[]>> = {
  'plugin-api': [],
  'plugin-testing': ['core', 'plugin-api'],
  sftp: ['plugin-api'],
  crc64nvme: ['plugin-testing'],
  core: ['crc64nvme', 'plugin-api'],
};
/** The one command that speaks with a server by itself: it only looks at its keys. */
const SPEAKS_SFTP = 'packages/core/src/cli/commands/hostkey-scan.ts';
const OF_A_PLUGIN = ['plugin-api', 'sftp', 'crc64nvme'];

/** Where time and chance enter core; everything else is given a clock and a source of randomness. */
export const SOURCES_OF_TIME = [
  'packages/core/src/host/system-clock.ts',
  'packages/core/src/state/host-lock.ts',
];
export const SOURCES_OF_CHANCE = [
  'packages/core/src/cli/main.ts',
  'packages/core/src/worker/main.ts',
  // Jitter of a pause; nothing that is promised depends on it.
  'packages/core/src/ledger/postgres/database.ts',
];

const CORE = 'packages/core/src/';

/** Imports between packages that go against the arrows. */
export function wrongPackages(tree: SourceTree): string[] {
  return allImports(tree).flatMap((one) => {
    const home = packageOf(one.from);
    if (one.to.startsWith('packages/')) return packageOf(one.to) === home ? [] : [told(one)];
    const allowed = PACKAGES[home] ?? OF_A_PLUGIN;
    const wanted = /^@octo\/([^/]+)/.exec(one.to)?.[1];
    if (wanted === undefined) return home === 'plugin-api' ? [told(one)] : [];
    if (one.from === SPEAKS_SFTP && wanted === 'sftp') return [];
    return allowed.includes(wanted) || wanted === home ? [] : [told(one)];
  });
}

/** Imports between the rooms of core that go against the arrows. */
export function wrongRooms(tree: SourceTree): string[] {
  return coreImports(tree)
    .filter(({ from, to }) => !mayImport(from.slice(CORE.length), to.slice(CORE.length)))
    .map(told);
}

function mayImport(from: string, to: string): boolean {
  const room = roomOf(from);
  // The public door may name anything.
  if (room === '' || room === roomOf(to)) return true;
  return (ROOMS[room] ?? []).some((allowed) => to === allowed || to.startsWith(`${allowed}/`));
}

/** Rooms of core that the table does not know. */
export function unknownRooms(tree: SourceTree): string[] {
  const rooms = [...tree.keys()]
    .filter((path) => path.startsWith(CORE))
    .map((path) => roomOf(path.slice(CORE.length)));
  return [...new Set(rooms)].filter((room) => room !== '' && !Object.hasOwn(ROOMS, room));
}

/** Places of core that name a package of a plugin. */
export function namedPlugins(tree: SourceTree): string[] {
  const packages = new Set([...tree.keys()].map(packageOf));
  const plugins = [...packages].filter((name) => PACKAGES[name] === undefined);
  return [...tree]
    .filter(([path]) => path.startsWith(CORE))
    .flatMap(([path, text]) =>
      plugins.filter((name) => text.includes(name)).map((name) => `${path}: ${name}`),
    );
}

/** Files of core that make time or chance themselves. */
export function homemade(tree: SourceTree, calls: RegExp, allowed: readonly string[]): string[] {
  return [...tree]
    .filter(
      ([path, text]) =>
        path.startsWith(CORE) && !allowed.includes(path) && calls.test(codeOf(text)),
    )
    .map(([path]) => path);
}

export const TIME =
  /\b(setTimeout|setInterval|Date\.now|performance\.now)\b|\bnew Date\(\)|\bDate\(\)/;
export const CHANCE = /\bMath\.random\b/;

/** Files that import a package that only one file is meant to know. */
export function importersOf(tree: SourceTree, name: string): string[] {
  const found = allImports(tree).filter(({ to }) => to === name || to.startsWith(`${name}/`));
  return [...new Set(found.map(({ from }) => from))];
}

/** Circles of imports in which one file runs before what it needs has run, each as one line. */
export function circles(tree: SourceTree): string[] {
  const next = Map.groupBy(
    allImports(tree).filter(({ to, kind }) => kind === 'static' && tree.has(to)),
    ({ from }) => from,
  );
  const done = new Set<string>();
  const found: string[] = [];
  const visit = (path: string, trail: readonly string[]): void => {
    if (trail.includes(path)) found.push([...trail.slice(trail.indexOf(path)), path].join(' → '));
    if (done.has(path) || trail.includes(path)) return;
    for (const { to } of next.get(path) ?? []) visit(to, [...trail, path]);
    done.add(path);
  };
  for (const path of tree.keys()) visit(path, []);
  return found;
}

function coreImports(tree: SourceTree): Import[] {
  return allImports(tree).filter(({ from, to }) => from.startsWith(CORE) && to.startsWith(CORE));
}

function packageOf(path: string): string {
  return path.split('/')[1] ?? '';
}

function roomOf(path: string): string {
  return path.includes('/') ? (path.split('/')[0] ?? '') : '';
}

function told({ from, to }: Import): string {
  return `${from} imports ${to}`;
}
