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
  const fits = path === undefined ? () => true : fitting(path);
  return (file) => (since === undefined || file.mtimeMs >= since) && fits(file.path);
}

/** Whether there is anything in it. */
export function isNarrow({ since, path }: Narrowing): boolean {
  return (since ?? path) !== undefined;
}

/** Looks at each part once: no pattern, however many stars it has, takes long. */
function fitting(pattern: string): (path: string) => boolean {
  const [first = '', ...parts] = pattern.split('*');
  const last = parts.pop();
  if (last === undefined) return (path) => path === first;
  return (path) => {
    if (!path.startsWith(first)) return false;
    let at = first.length;
    for (const part of parts) {
      const found = path.indexOf(part, at);
      if (found < 0) return false;
      at = found + part.length;
    }
    return path.length - at >= last.length && path.endsWith(last);
  };
}
