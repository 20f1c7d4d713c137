import { existsSync, realpathSync } from 'node:fs';
import { homedir } from 'node:os';
import { dirname, isAbsolute, join, relative, resolve } from 'node:path';
import type { Allowance, InstanceConfig, Manifest } from '../manifest/manifest.ts';
import type { PluginCode } from '../manifest/package-entry.ts';
import { segmentsOf, valueAt } from '../manifest/pointer.ts';
import type { InspectedInstance, InspectedPath } from '../wire/brief.ts';
import { codeFolders } from './code-folders.ts';

/** What a worker stands on: all that its process may touch. Paths are absolute. */
export interface Ground {
  readonly read: readonly string[];
  readonly write: readonly string[];
  /** Folders among `write` that the host makes when they are missing. */
  readonly create: readonly string[];
  readonly network: boolean;
  readonly env: Readonly<Record<string, string>>;
}

/** An instance, and what looking at it has shown. */
export interface GroundedInstance {
  readonly config: InstanceConfig;
  readonly inspected: InspectedInstance;
  readonly code: PluginCode;
}

/** Nothing but the code of these plugins: for a process that only looks at them. */
export function inspectionGround(codes: readonly PluginCode[]): Ground {
  return { read: codeFolders(codes), write: [], create: [], network: false, env: {} };
}

/** The ground of a worker that holds these instances. */
export function groundFor(
  manifest: Manifest,
  instances: readonly GroundedInstance[],
  env: Readonly<Record<string, string | undefined>>,
): Ground {
  const paths = instances.flatMap((one) => pathsOf(manifest, one));
  const to = (...access: string[]) =>
    paths.filter((one) => access.includes(one.access)).flatMap(({ path }) => spellings(path));
  const allowed = (kind: 'read' | 'write') =>
    instances.flatMap(({ config: { allow } }) =>
      allow[kind].flatMap((path) => spellings(resolve(manifest.folder, atHome(path)))),
    );
  const write = [...to('write', 'create'), ...allowed('write')];
  return {
    read: [
      ...codeFolders(instances.map(({ code }) => code)),
      ...to('read'),
      ...allowed('read'),
      ...write,
    ],
    write,
    create: paths.filter(({ access }) => access === 'create').map(({ path }) => path),
    network: instances.some(
      ({ inspected: { description }, config: { allow } }) =>
        description.network !== false && allow.network,
    ),
    env: Object.assign(
      {},
      ...instances.map(({ config: { allow } }) => granted(allow, env)),
    ) as Record<string, string>,
  };
}

/**
 * What a schema marks as a path, as far as the operator wrote it into the configuration. A path that a plugin brings as a
 * default is opened below the manifest's folder only: a process cannot let itself in anywhere.
 */
function pathsOf(manifest: Manifest, { config, inspected }: GroundedInstance): InspectedPath[] {
  return inspected.paths.flatMap(({ pointer, path, access }) => {
    const written = valueAt(config.config, segmentsOf(pointer).slice(3));
    const absolute = resolve(manifest.folder, path);
    const isInside = !isAbsolute(path) && !relative(manifest.folder, absolute).startsWith('..');
    return written === path || (written === undefined && isInside && absolute !== manifest.folder)
      ? [{ pointer, path: absolute, access }]
      : [];
  });
}

function atHome(path: string): string {
  return path === '~' || path.startsWith('~/') ? join(homedir(), path.slice(1)) : path;
}

/** As given, and without symbolic links, as far as it exists: Node compares texts. */
function spellings(path: string): string[] {
  const real = realPath(path);
  return real === path ? [path] : [path, real];
}

function realPath(path: string): string {
  if (existsSync(path)) return realpathSync(path);
  const above = dirname(path);
  return above === path ? path : join(realPath(above), relative(above, path));
}

/** Never by a pattern: what is the host's own, and what steers Node or the loader of programs. */
const NOT_BY_PATTERN = /^(OCTO_|NODE_|LD_|DYLD_|DATABASE_URL$|PG)/;

function granted(
  { env: wanted }: Allowance,
  env: Readonly<Record<string, string | undefined>>,
): Record<string, string> {
  const found: Record<string, string> = {};
  for (const [name, value] of Object.entries(env)) {
    const isWanted = wanted.some((one) =>
      one.endsWith('*')
        ? name.startsWith(one.slice(0, -1)) && !NOT_BY_PATTERN.test(name)
        : name === one,
    );
    if (isWanted && value !== undefined) found[name] = value;
  }
  return found;
}
