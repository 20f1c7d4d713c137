/** Archives are compressed already: Bloomberg sends them without an encoding only, and there are no rows to look at. */
export function isArchive(key: string): boolean {
  return /\.(parquet|zip|tar|gz|tgz)$/i.test(key);
}
