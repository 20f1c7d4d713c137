import type { RemoteFile } from '@octo/plugin-api';

/** S3 allows 1,024 bytes of UTF-8. docs.aws.amazon.com/AmazonS3/latest/userguide/object-keys.html */
const MAX_KEY_BYTES = 1024;
const FIXED_WORDS = ['pipeline', 'provider', 'path', 'name'];

export interface KeyWords {
  readonly pipeline: string;
  /** The provider's instance id. */
  readonly provider: string;
  readonly file: RemoteFile;
  /** The file's name after all steps. */
  readonly name: string;
}

/**
 * The object's key by the pipeline's template: `{pipeline} {provider} {path} {name} {date:yyyy/MM/dd}` and the
 * provider's fields. Vendor text never adds or leaves a folder: only `{path}` may hold slashes.
 * @throws Error when a word has no value for this file, or the key would be too long or empty
 */
export function objectKey(template: string, words: KeyWords): string {
  const key = template.replace(/\{([^{}]*)\}/g, (_, word: string) => value(word, words));
  const segments = key.split('/').filter((segment) => segment !== '');
  if (segments.length === 0) throw new Error(`the key template '${template}' gives an empty key`);
  const clean = segments.map(safeSegment).join('/');
  if (Buffer.byteLength(clean) > MAX_KEY_BYTES)
    throw new Error(`the key would be longer than ${MAX_KEY_BYTES} bytes`);
  return clean;
}

/** The words of a template that are not fixed: fields that the provider must supply. */
export function fieldsOf(template: string): readonly string[] {
  return [...template.matchAll(/\{([^{}]*)\}/g)]
    .map((match) => match[1]!)
    .filter((word) => !FIXED_WORDS.includes(word) && !word.startsWith('date:'));
}

/** `a/b.csv` → `a/b~2.csv` for the second version of a name, and so on; index 0 is the key itself. */
export function numberedKey(key: string, index: number): string {
  if (index === 0) return key;
  const slash = key.lastIndexOf('/');
  const dot = key.lastIndexOf('.');
  const at = dot > slash + 1 ? dot : key.length;
  return `${key.slice(0, at)}~${index + 1}${key.slice(at)}`;
}

function value(word: string, words: KeyWords): string {
  if (word === 'pipeline') return words.pipeline;
  if (word === 'provider') return words.provider;
  if (word === 'path') return words.file.path;
  if (word === 'name') return flat(words.name);
  if (word.startsWith('date:')) return dateText(word.slice('date:'.length), words.file.mtimeMs);
  const field = words.file.fields?.[word];
  if (field === undefined)
    throw new Error(`the key template names {${word}}, which '${words.file.name}' does not have`);
  return flat(field);
}

function flat(text: string): string {
  return text.replaceAll('/', '_');
}

function safeSegment(segment: string): string {
  if (segment === '.' || segment === '..') return segment.replaceAll('.', '_');
  // eslint-disable-next-line no-control-regex -- control characters are what must not get through
  return segment.replace(/[\u0000-\u001f\u007f\\]/g, '_');
}

function dateText(format: string, mtimeMs: number): string {
  const iso = new Date(mtimeMs).toISOString();
  const parts: Readonly<Record<string, string>> = {
    yyyy: iso.slice(0, 4),
    MM: iso.slice(5, 7),
    dd: iso.slice(8, 10),
    HH: iso.slice(11, 13),
    mm: iso.slice(14, 16),
    ss: iso.slice(17, 19),
  };
  return format.replace(/yyyy|MM|dd|HH|mm|ss/g, (part) => parts[part]!);
}
