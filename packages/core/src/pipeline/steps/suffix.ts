/** `name` without the last of its endings when that is one of `suffixes` (lower case, with the dot). */
export function withoutSuffix(name: string, suffixes: readonly string[]): string {
  const lower = name.toLowerCase();
  const suffix = suffixes.find((one) => lower.endsWith(one) && name.length > one.length);
  return suffix === undefined ? name : name.slice(0, -suffix.length);
}
