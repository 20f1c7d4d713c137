import type { SecretEntry } from '../secrets/secret-entry.ts';

/** A secret for programs, without its value. */
export function secretJson({ name, grants, created, changed }: SecretEntry): object {
  return { name, grants, created, changed };
}

/** Who may use it, for people. */
export function grantsText({ name, grants }: Pick<SecretEntry, 'name' | 'grants'>): string {
  if (grants.length === 0)
    return `nobody may use it yet: octo-host secrets grant ${name} --for PLUGIN`;
  return grants.includes('*') ? 'all may use it' : `for ${grants.join(', ')}`;
}
