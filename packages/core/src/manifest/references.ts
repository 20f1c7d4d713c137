import { constants } from 'node:fs';
import { open } from 'node:fs/promises';
import { resolve } from 'node:path';
import type { Issue, OctoError } from '../errors/octo-error.ts';
import { escapeText } from '../observe/escape-text.ts';
import type { ManifestSource, Reference } from './manifest-source.ts';
import { pointerTo } from './pointer.ts';
import { readBounded, TooLarge } from './read-bounded.ts';
import type { SecretReferences } from './secret-references.ts';
import { StoreClosed } from './store-closed.ts';
import { didYouMean } from './suggest.ts';
import { Unresolved } from './unresolved.ts';

export interface ReferenceOptions {
  readonly env: Readonly<Record<string, string | undefined>>;
  /** What relative paths of `${file:…}` are relative to. */
  readonly folder: string;
  /** What `${secret:…}` refers to. */
  readonly secrets: SecretReferences;
}

interface Resolved {
  readonly value: unknown;
  readonly issues: readonly Issue[];
  /** Where a secret is wanted whose store does not open; the reference itself stands there. */
  readonly waiting: readonly Waiting[];
}

export interface Waiting {
  readonly pointer: string;
  /** The reference as written. */
  readonly text: string;
  /** Why the store does not open. */
  readonly reason: OctoError;
}

/**
 * Replaces `${env:NAME}`, `${file:path}` and `${secret:name}` in every string, and `$${` by `${`. What came from where is noted in
 * `source.references`; `at` is where the value stands. Problems name the reference and the place, never a value.
 */
export async function resolveReferences(
  value: unknown,
  source: ManifestSource,
  options: ReferenceOptions,
  at = '',
): Promise<Resolved> {
  const issues: Issue[] = [];
  const waiting: Waiting[] = [];
  const sight = { source, issues, waiting, options };
  const walk = async (part: unknown, pointer: string): Promise<unknown> => {
    if (typeof part === 'string') return resolveString(part, pointer, sight);
    if (Array.isArray(part)) {
      const items: unknown[] = [];
      for (const [index, item] of part.entries())
        items.push(await walk(item, pointerTo(pointer, index)));
      return items;
    }
    if (typeof part !== 'object' || part === null) return part;
    const copy: Record<string, unknown> = {};
    for (const [key, item] of Object.entries(part))
      copy[key] = await walk(item, pointerTo(pointer, key));
    return copy;
  };
  return { value: await walk(value, at), issues, waiting };
}

/** `$${` is an escaped `${`; a reference ends with the next `}`; without one it is not closed. */
const MARKS = /\$\$\{|\$\{([^}]*)(\}?)/g;

interface Sight {
  readonly source: ManifestSource;
  readonly issues: Issue[];
  readonly waiting: Waiting[];
  readonly options: ReferenceOptions;
}

async function resolveString(text: string, pointer: string, sight: Sight): Promise<string> {
  const found: Reference[] = [];
  let result = '';
  let end = 0;
  for (const match of text.matchAll(MARKS)) {
    result += text.slice(end, match.index);
    end = match.index + match[0].length;
    if (match[0] === '$${') {
      result += '${';
      continue;
    }
    const [written, content = '', closed] = match;
    const reference = closed === '' ? undefined : content;
    const { looked, stands } = await lookAt(written, reference, pointer, sight);
    if (looked !== undefined) found.push({ ...looked, text: written, whole: written === text });
    result += stands;
  }
  if (found.length > 0) sight.source.references.set(pointer, found);
  return result + text.slice(end);
}

type Looked = Pick<Reference, 'scheme' | 'name' | 'value'>;

interface Sighted {
  readonly looked?: Looked;
  /** What stands in its place. */
  readonly stands: string;
}

/** What a reference is worth; what is wrong with it is noted. */
async function lookAt(
  written: string,
  content: string | undefined,
  pointer: string,
  sight: Sight,
): Promise<Sighted> {
  const { source, issues, waiting } = sight;
  try {
    const looked = await lookUp(content, pointer, sight);
    return { looked, stands: looked.value };
  } catch (error) {
    if (error instanceof Unresolved) {
      issues.push(source.issue(error.code, pointer, error.message));
      return { stands: '' };
    }
    if (!(error instanceof StoreClosed)) throw error;
    waiting.push({ pointer, text: escapeText(written), reason: error.reason });
    return { looked: { scheme: 'secret', name: '', value: '' }, stands: written };
  }
}

async function lookUp(
  content: string | undefined,
  pointer: string,
  { options: { env, folder, secrets } }: Sight,
): Promise<Looked> {
  if (content === undefined)
    throw new Unresolved(
      'OCTO_REFERENCE_INVALID',
      'has a reference ${…} that is not closed; write $${ for a plain ${',
    );
  const colon = content.indexOf(':');
  const scheme = colon < 0 ? content : content.slice(0, colon);
  const name = colon < 0 ? '' : content.slice(colon + 1);
  if (scheme === 'env') return { scheme, name, value: fromEnvironment(name, env) };
  if (scheme === 'file') return { scheme, name, value: await fromFile(name, folder) };
  if (scheme === 'secret') return { scheme, name, value: await secrets.resolve(name, pointer) };
  throw new Unresolved('OCTO_REFERENCE_INVALID', unknownScheme(scheme));
}

function unknownScheme(scheme: string): string {
  const meant = didYouMean(scheme, ['env', 'file', 'secret']);
  const known = '; there are ${env:NAME}, ${file:path} and ${secret:name}';
  return `has a reference of unknown kind '${escapeText(scheme)}'${meant || known}`;
}

function fromEnvironment(name: string, env: ReferenceOptions['env']): string {
  const shown = `\${env:${escapeText(name)}}`;
  if (!/^[A-Za-z_][A-Za-z0-9_]*$/.test(name)) {
    throw new Unresolved(
      'OCTO_REFERENCE_INVALID',
      `refers to ${shown}, which is no name of an environment variable`,
    );
  }
  const value = Object.hasOwn(env, name) ? env[name] : undefined;
  if (value !== undefined) return value;
  const set = Object.keys(env).filter((key) => env[key] !== undefined);
  throw new Unresolved(
    'OCTO_REFERENCE_MISSING',
    `refers to ${shown}, which is not set${didYouMean(name, set)}`,
  );
}

/** A key ring of many keys fits; a mistaken path to data does not. */
const MAX_FILE_BYTES = 1024 * 1024;

const WHY: Readonly<Record<string, string>> = {
  ENOENT: 'which does not exist',
  ENOTDIR: 'which does not exist',
  EACCES: 'which may not be read; check its owner and permissions',
  EPERM: 'which may not be read; check its owner and permissions',
  EISDIR: 'which is a folder',
};

async function fromFile(path: string, folder: string): Promise<string> {
  const shown = `\${file:${escapeText(path)}}`;
  if (path === '')
    throw new Unresolved('OCTO_REFERENCE_INVALID', `refers to ${shown}, which names no file`);
  try {
    const text = new TextDecoder('utf-8', { fatal: true }).decode(
      await readSmall(resolve(folder, path)),
    );
    return text.replace(/\r?\n$/, '');
  } catch (error) {
    const code = String((error as { readonly code?: unknown }).code);
    const why = whyNot(error, code);
    if (why !== undefined)
      throw new Unresolved('OCTO_REFERENCE_MISSING', `refers to ${shown}, ${why}`);
    if (code === 'ERR_ENCODING_INVALID_ENCODED_DATA') {
      throw new Unresolved('OCTO_REFERENCE_INVALID', `refers to ${shown}, which is not UTF-8 text`);
    }
    throw new Unresolved(
      'OCTO_REFERENCE_MISSING',
      `refers to ${shown}, which cannot be read (${code})`,
    );
  }
}

function whyNot(error: unknown, code: string): string | undefined {
  if (error instanceof TooLarge) return 'which is larger than 1 MiB';
  return error instanceof NotAFile ? error.message : WHY[code];
}

class NotAFile extends Error {}

async function readSmall(path: string): Promise<Buffer> {
  // Without O_NONBLOCK, opening a named pipe would wait for a writer.
  await using file = await open(path, constants.O_RDONLY | constants.O_NONBLOCK);
  const stat = await file.stat();
  if (stat.isDirectory()) throw new NotAFile('which is a folder');
  if (!stat.isFile()) throw new NotAFile('which is not a regular file');
  return await readBounded(file, MAX_FILE_BYTES);
}
