import { starPattern } from './star-pattern.ts';

/** Which of the vendor's files a run is about; without either it is about all. */
export interface Narrowing {
  /** Only files that the vendor changed at or after this time. Milliseconds since the Unix epoch. */
  readonly since?: number;
  /** Only files whose path matches; `*` matches anything. */
  readonly path?: string;
}

/** Whether a run narrowed like this is about a file. */
export function isWithin({
  since,
  path,
}: Narrowing): (file: { readonly path: string; readonly mtimeMs: number }) => boolean {
  const fits = path === undefined ? () => true : starPattern(path);
  return (file) => (since === undefined || file.mtimeMs >= since) && fits(file.path);
}

/** Whether there is anything in it. */
export function isNarrow({ since, path }: Narrowing): boolean {
  return (since ?? path) !== undefined;
}
