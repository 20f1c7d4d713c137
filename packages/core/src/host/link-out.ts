import { readdirSync, realpathSync } from 'node:fs';
import { join, sep } from 'node:path';

/** Entries that are looked at; a folder with more is no plugin's. */
const MOST = 20_000;

/**
 * The first symbolic link below a folder that leads out of it, or `undefined`. Node's permissions follow links that lie where
 * a process may read, wherever they lead. Installed packages are not looked at: no package of a registry holds links.
 */
export function linkOut(folder: string): string | undefined {
  const inside = realpathSync(folder) + sep;
  const folders = [folder];
  let seen = 0;
  for (const one of folders) {
    for (const entry of readdirSync(one, { withFileTypes: true })) {
      if ((seen += 1) > MOST) return undefined;
      if (entry.name === 'node_modules' || entry.name === '.git') continue;
      const path = join(one, entry.name);
      if (entry.isDirectory()) folders.push(path);
      else if (entry.isSymbolicLink() && !`${targetOf(path)}${sep}`.startsWith(inside)) return path;
    }
  }
  return undefined;
}

/** Empty for one that leads nowhere now: it may lead anywhere later. */
function targetOf(path: string): string {
  try {
    return realpathSync(path);
  } catch {
    return '';
  }
}
