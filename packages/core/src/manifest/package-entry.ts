import { existsSync, readFileSync, realpathSync, statSync } from 'node:fs';
import { dirname, isAbsolute, join, resolve, sep } from 'node:path';

/** Why nothing was found, in words that follow the plugin's name. */
export class EntryNotFound extends Error {}

/** Where the code of a plugin lies. Real paths. */
export interface PluginCode {
  /** The file that is imported. */
  readonly entry: string;
  /** The folder that is the plugin's own; `undefined` for a file that lies beside other things. */
  readonly home: string | undefined;
}

/**
 * Finds the plugin that `use` names, seen from the manifest's folder, else from the host's own place.
 * @throws EntryNotFound
 */
export function locatePlugin(use: string, folder: string): PluginCode {
  const entry = realpathSync(entrySomewhere(use, folder));
  return { entry, home: homeOf(entry, realpathSync(folder)) };
}

function entrySomewhere(use: string, folder: string): string {
  try {
    return packageEntry(use, folder);
  } catch (error) {
    const own = error instanceof EntryNotFound ? entryBesideHost(use) : undefined;
    if (own === undefined) throw error;
    return own;
  }
}

/** Plugins that were installed together with the host. Paths are the manifest's own. */
function entryBesideHost(use: string): string | undefined {
  if (/^[./\\]/.test(use)) return undefined;
  try {
    return packageEntry(use, import.meta.dirname);
  } catch {
    return undefined;
  }
}

/** The nearest package around the file, or its folder; neither may have the manifest in it, with all that lies there. */
function homeOf(entry: string, manifestFolder: string): string | undefined {
  const holdsManifest = (folder: string) => `${manifestFolder}${sep}`.startsWith(`${folder}${sep}`);
  for (let above = dirname(entry); !holdsManifest(above); above = dirname(above)) {
    if (existsSync(join(above, 'package.json'))) return above;
  }
  return holdsManifest(dirname(entry)) ? undefined : dirname(entry);
}

/**
 * The file that `import` would load for a package name or path, seen from a folder: Node's own rules, with the
 * conditions of an ES import. Node itself offers this only for the importing module's own place.
 * @throws EntryNotFound
 */
function packageEntry(use: string, folder: string): string {
  if (/^\.{0,2}\//.test(use) || use === '.' || use === '..' || isAbsolute(use)) {
    return entryOfPath(resolve(folder, use));
  }
  const match = /^((?:@[a-z0-9._~-]+\/)?[a-z0-9._~-]+)(\/.+)?$/i.exec(use);
  if (match === null)
    throw new EntryNotFound('is neither a package name nor a path that begins with ./');
  const [, name = '', subpath = ''] = match;
  const home = packageHome(name, folder);
  if (home === undefined) {
    throw new EntryNotFound(
      `is not installed: no node_modules/${name} in ${folder} or above; install it there, or correct "use"`,
    );
  }
  return entryOfPackage(home, `.${subpath}`);
}

function entryOfPath(path: string): string {
  const stat = statSync(path, { throwIfNoEntry: false });
  if (stat === undefined) throw new EntryNotFound(`does not exist: ${path}`);
  return stat.isDirectory() ? entryOfPackage(path, '.') : path;
}

function packageHome(name: string, folder: string): string | undefined {
  for (let above = folder; ; above = dirname(above)) {
    const home = join(above, 'node_modules', name);
    if (existsSync(home)) return home;
    if (above === dirname(above)) return undefined;
  }
}

interface PackageFile {
  readonly exports?: unknown;
  readonly main?: unknown;
}

function entryOfPackage(home: string, subpath: string): string {
  const { exports, main } = packageFile(home);
  const target =
    exports === undefined || exports === null
      ? withoutExports(subpath, main)
      : exported(exports, subpath);
  if (target === undefined) {
    throw new EntryNotFound(
      `does not export '${subpath}'; see "exports" in ${join(home, 'package.json')}`,
    );
  }
  const file = resolve(home, target);
  if (!file.startsWith(home + sep))
    throw new EntryNotFound(`has an entry outside of its own folder: ${target}`);
  if (statSync(file, { throwIfNoEntry: false })?.isFile() !== true) {
    throw new EntryNotFound(`is there, but not its file ${file}; is it built?`);
  }
  return file;
}

function packageFile(home: string): PackageFile {
  const file = join(home, 'package.json');
  if (!existsSync(file)) return {};
  try {
    const content: unknown = JSON.parse(readFileSync(file, 'utf8'));
    return typeof content === 'object' && content !== null ? content : {};
  } catch {
    throw new EntryNotFound(`has a package.json that cannot be read: ${file}`);
  }
}

function withoutExports(subpath: string, main: unknown): string {
  if (subpath !== '.') return subpath;
  return typeof main === 'string' && main !== '' ? main : 'index.js';
}

/** Of an ES import in Node. nodejs.org/api/packages.html#conditional-exports */
const CONDITIONS = ['node', 'import', 'module-sync', 'default'];

function exported(exports: unknown, subpath: string): string | undefined {
  if (isObject(exports) && Object.keys(exports).every((key) => key.startsWith('.'))) {
    return chosen(exports[subpath]);
  }
  return subpath === '.' ? chosen(exports) : undefined;
}

function chosen(target: unknown): string | undefined {
  if (typeof target === 'string') return target.startsWith('./') ? target : undefined;
  if (Array.isArray(target)) return target.map(chosen).find((one) => one !== undefined);
  if (!isObject(target)) return undefined;
  for (const [condition, inner] of Object.entries(target)) {
    const found = CONDITIONS.includes(condition) ? chosen(inner) : undefined;
    if (found !== undefined) return found;
  }
  return undefined;
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
