import { dirname, resolve } from 'node:path';
import { stringOption, type Args } from './command.ts';
import type { Environment } from './environment.ts';

/** Where a command works: which manifest, and which state folder belongs to it. Absolute paths. */
export interface Workplace {
  readonly manifestFile: string;
  readonly stateFolder: string;
}

/** `--manifest` (default `plugins.json`), and `--state`, `OCTO_STATE` or `.octo` beside the manifest. */
export function workplaceOf(args: Args, { cwd, env }: Pick<Environment, 'cwd' | 'env'>): Workplace {
  const manifestFile = resolve(cwd, stringOption(args, 'manifest') ?? 'plugins.json');
  const state = stringOption(args, 'state') ?? (env['OCTO_STATE'] || undefined);
  const stateFolder =
    state === undefined ? resolve(dirname(manifestFile), '.octo') : resolve(cwd, state);
  return { manifestFile, stateFolder };
}
