import { PluginError } from '@octo/plugin-api';

/** What a name asks for: a secret, and maybe one field of it. */
export interface AskedSecret {
  /** As AWS knows it. */
  readonly secretId: string;
  readonly field: string | undefined;
}

/** docs.aws.amazon.com/secretsmanager/latest/apireference/API_CreateSecret.html, and `:` for the ARN of another account. */
const SECRET_ID = /^[A-Za-z0-9/_+=.@:-]{1,2048}$/;

/** `name`, or `name#field` for one field of a secret that is a JSON object. @throws PluginError `validation` */
export function askedSecret(name: string, prefix: string): AskedSecret {
  const hash = name.indexOf('#');
  const secretId = prefix + (hash < 0 ? name : name.slice(0, hash));
  const field = hash < 0 ? undefined : name.slice(hash + 1);
  if (!SECRET_ID.test(secretId) || secretId === prefix || field === '')
    throw new PluginError(
      'validation',
      `${JSON.stringify(name)} is no name of a secret: letters, digits and /_+=.@-, then maybe # and a field of its JSON`,
      { code: 'BAD_NAME' },
    );
  return { secretId, field };
}

/** The part of a secret that was asked for. No message holds any of it. @throws PluginError `not_found`, `validation` */
export function fieldOf(text: string, { secretId, field }: AskedSecret): string {
  if (field === undefined) return text;
  const fields = parsed(text);
  if (fields === undefined)
    throw new PluginError('validation', `${secretId} is no JSON object, so it has no field`, {
      code: 'NOT_JSON',
    });
  const value = Object.hasOwn(fields, field) ? fields[field] : undefined;
  if (typeof value === 'string') return value;
  if (typeof value === 'number' || typeof value === 'boolean') return String(value);
  const known = value === undefined ? `has no field` : `has something else than a text in`;
  throw new PluginError('not_found', `${secretId} ${known} ${JSON.stringify(field)}`, {
    code: 'NO_FIELD',
  });
}

function parsed(text: string): Readonly<Record<string, unknown>> | undefined {
  try {
    const value: unknown = JSON.parse(text);
    const isObject = typeof value === 'object' && value !== null && !Array.isArray(value);
    return isObject ? (value as Readonly<Record<string, unknown>>) : undefined;
  } catch {
    return undefined;
  }
}
