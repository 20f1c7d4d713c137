import { existsSync, readFileSync, realpathSync } from 'node:fs';
import { dirname, join, sep } from 'node:path';
import type { PluginCode } from '../manifest/package-entry.ts';

/** The host's own code: this file lies two folders below its package. */
const OWN_HOME = dirname(dirname(import.meta.dirname));

/**
 * The folders and files that hold the code of plugins and of the host itself, with all that they depend on: what a process
 * must be able to read before it can run them. Absolute.
 */
export function codeFolders(plugins: readonly PluginCode[]): string[] {
  const found = new Set<string>();
  for (const { entry, home } of plugins) {
    if (home === undefined) {
      found.add(entry);
      addInstalled(dirname(entry), found);
    } else addPackage(home, found);
  }
  addPackage(realpathSync(OWN_HOME), found);
  return [...found];
}

/** A package, where packages are installed around it, and the packages of a workspace that it links to. */
function addPackage(home: string, found: Set<string>): void {
  const installed = home.split(`${sep}node_modules${sep}`);
  if (installed.length > 1) {
    found.add(`${installed[0]!}${sep}node_modules`);
    return;
  }
  if (found.has(home)) return;
  found.add(home);
  addInstalled(home, found);
  for (const name of dependenciesOf(home)) {
    const linked = installedAt(name, home);
    if (linked !== undefined) addPackage(realpathSync(linked), found);
  }
}

function addInstalled(folder: string, found: Set<string>): void {
  for (const above of foldersAbove(folder)) {
    const installed = join(above, 'node_modules');
    if (existsSync(installed)) found.add(installed);
  }
}

function dependenciesOf(home: string): string[] {
  try {
    const text = readFileSync(join(home, 'package.json'), 'utf8');
    const { dependencies, peerDependencies, optionalDependencies, devDependencies } = JSON.parse(
      text,
    ) as Readonly<Record<string, object | undefined>>;
    const all = { ...dependencies, ...peerDependencies, ...optionalDependencies };
    // A plugin on its author's bench has the contract among what it is developed with.
    return Object.keys({ ...devDependencies, ...all });
  } catch {
    return [];
  }
}

function installedAt(name: string, folder: string): string | undefined {
  const places = foldersAbove(folder).map((above) => join(above, 'node_modules', name));
  return places.find((place) => existsSync(place));
}

function foldersAbove(folder: string): string[] {
  const above = dirname(folder);
  return above === folder ? [folder] : [folder, ...foldersAbove(above)];
}
