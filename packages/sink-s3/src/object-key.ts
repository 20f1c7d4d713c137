/** Keys of the sink's place to whole keys of the bucket, and back. */
import { PluginError } from '@octo/plugin-api';

/** docs.aws.amazon.com/AmazonS3/latest/userguide/object-keys.html */
const MAX_KEY_BYTES = 1024;

/** The prefix without slashes at its ends. @throws PluginError validation */
export function cleanPrefix(given: string): string {
  const prefix = given.replaceAll(/^\/+|\/+$/g, '');
  const fault = prefix === '' ? undefined : faultIn(prefix);
  if (fault === undefined) return prefix;
  throw new PluginError('validation', `config/prefix ${JSON.stringify(given)} ${fault}`, {
    code: 'BAD_PREFIX',
  });
}

/** @throws PluginError validation for a key that cannot be an object's */
export function wholeKey(prefix: string, key: string): string {
  const whole = prefix === '' ? key : `${prefix}/${key}`;
  const tooLong = Buffer.byteLength(whole) > MAX_KEY_BYTES;
  const fault = faultIn(key) ?? (tooLong ? `is longer than ${MAX_KEY_BYTES} bytes` : undefined);
  if (fault === undefined) return whole;
  throw new PluginError('validation', `the key ${JSON.stringify(key)} ${fault}`, {
    code: 'BAD_KEY',
  });
}

/** `undefined` for a key that is not below the prefix. */
export function keyBelow(prefix: string, whole: string): string | undefined {
  if (prefix === '') return whole;
  return whole.startsWith(`${prefix}/`) ? whole.slice(prefix.length + 1) : undefined;
}

function faultIn(key: string): string | undefined {
  const segments = key.split('/');
  if (segments.includes('')) return 'has an empty segment';
  if (segments.some((segment) => segment === '.' || segment === '..')) {
    return 'has a segment . or ..';
  }
  // XML, in which the store answers, cannot carry them.
  // oxlint-disable-next-line no-control-regex
  if (/[\0-\x1f\x7f]/.test(key)) return 'has a control character';
  return key.isWellFormed() ? undefined : 'is not Unicode text';
}
