import { readFileSync } from 'node:fs';
import { findPackageJSON } from 'node:module';
import { basename, join } from 'node:path';
import { pathToFileURL } from 'node:url';

/**
 * The version of the package that `use` names, seen from the manifest's folder, else from the host's own place;
 * `undefined` when it has none.
 */
export function packageVersion(use: string, folder: string): string | undefined {
  const file =
    packageFile(use, pathToFileURL(join(folder, 'plugins.json')).href) ??
    packageFile(use, import.meta.url);
  if (file === undefined) return undefined;
  const { version } = JSON.parse(readFileSync(file, 'utf8')) as { readonly version?: unknown };
  return typeof version === 'string' ? version : undefined;
}

function packageFile(use: string, from: string): string | undefined {
  try {
    const found = findPackageJSON(use, from);
    // Of a path without one Node answers the path itself.
    return found !== undefined && basename(found) === 'package.json' ? found : undefined;
  } catch {
    // Not installed there.
    return undefined;
  }
}
