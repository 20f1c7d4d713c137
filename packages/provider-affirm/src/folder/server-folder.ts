import { type Clock, type Diagnosis, type Logger, PluginError } from '@octo/plugin-api';
import type { Place } from '../check-config.ts';
import type { Folder } from './folder.ts';

export type Server = Exclude<Place, { readonly directory: string }>;

export async function serverFolder(
  _server: Server,
  _services: { readonly clock: Clock; readonly logger: Logger },
  _signal: AbortSignal,
): Promise<Folder> {
  throw new PluginError('validation', 'this version reads local folders only; use config/directory');
}

export async function* diagnoseServer(
  _server: Server,
  _services: { readonly clock: Clock; readonly logger: Logger },
  _signal: AbortSignal,
): AsyncGenerator<Diagnosis> {}
