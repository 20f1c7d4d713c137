/**
 * What the host's own environment holds that must never be shown: `DATABASE_URL`, and the password in it, as it stands there
 * and as it is meant. Those of the manifest are known when it is read.
 */
export function environmentSecrets(
  env: Readonly<Record<string, string | undefined>>,
): readonly string[] {
  const text = env['DATABASE_URL'] ?? '';
  const written = /^\w+:\/\/[^@/]*?:([^/]*)@/.exec(text)?.[1] ?? '';
  return [text, written, decoded(written)].filter((secret) => secret !== '');
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}
