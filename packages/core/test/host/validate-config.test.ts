import type { ConfigSchema } from '@octo/plugin-api';
import { describe, expect, test } from 'vitest';
import { validateConfig } from '../../src/host/validate-config.ts';

const closed = (rest: ConfigSchema): ConfigSchema => ({
  type: 'object',
  additionalProperties: false,
  ...rest,
});
const nothing = () => false;

function check(schema: ConfigSchema, config: unknown, references: readonly string[] = []) {
  return validateConfig(`'acme'`, schema, config, (pointer) => references.includes(pointer));
}

function problems(schema: ConfigSchema, config: unknown, references: readonly string[] = []) {
  return check(schema, config, references).problems.map(
    ({ pointer, text }) => `${pointer} ${text}`,
  );
}

describe('a configuration', () => {
  const schema = closed({
    required: ['bucket'],
    properties: {
      bucket: { type: 'string', minLength: 3 },
      retries: { type: 'integer', default: 3 },
      deep: closed({ default: {}, properties: { on: { type: 'boolean', default: true } } }),
    },
  });

  test('gets its defaults on a frozen copy', () => {
    const given = { bucket: 'lake' };
    const { value, problems: found } = check(schema, given);
    expect(found).toEqual([]);
    expect(value).toEqual({ bucket: 'lake', retries: 3, deep: { on: true } });
    expect(Object.isFrozen((value as { deep: object }).deep)).toBe(true);
    expect(given).toEqual({ bucket: 'lake' });
  });

  test('is left alone when it is wrong', () => {
    const given = { deep: {} };
    expect(problems(schema, given)).toEqual(['/bucket is missing']);
    expect(given).toEqual({ deep: {} });
  });

  test('may hold nothing that the plugin does not know, at any depth', () => {
    expect(problems(schema, { buckets: 'lake', deep: { off: true } })).toEqual([
      `/buckets is not known; did you mean 'bucket'?`,
      '/deep/off is not known; known here: on',
    ]);
  });

  test('does not inherit what it lacks', () => {
    const inherited = closed({ required: ['constructor'], properties: { constructor: {} } });
    expect(problems(inherited, {})).toEqual(['/constructor is missing']);
  });

  test('is told about everything that is wrong, never with its values', () => {
    const found = problems(schema, { bucket: 'hu', retries: 'hunter2', deep: ['hunter2'] });
    expect(found).toEqual([
      '/bucket is too short: at least 3',
      '/retries must be a whole number',
      '/deep must be an object {…}',
    ]);
  });
});

describe('a reference', () => {
  const schema = closed({
    properties: {
      port: { type: 'integer', minimum: 1, maximum: 65535 },
      ratio: { type: 'number' },
      on: { type: 'boolean' },
      name: { type: 'string' },
      either: { type: ['integer', 'string'] as unknown as 'string' },
      list: { type: 'array', items: { type: 'integer' } },
      level: { enum: [1, 2, 'auto'] },
    },
  });
  const given = {
    port: '22',
    ratio: '-0.5',
    on: 'false',
    name: '7',
    either: '8',
    list: ['9'],
    level: '2',
  };
  const all = ['/port', '/ratio', '/on', '/name', '/either', '/list/0', '/level'];

  test('becomes what its place asks for', () => {
    expect(check(schema, given, all)).toMatchObject({
      problems: [],
      value: { port: 22, ratio: -0.5, on: false, name: '7', either: '8', list: [9], level: 2 },
    });
  });

  test('is held to the place’s bounds afterwards', () => {
    expect(problems(schema, { port: '70000' }, all)).toEqual(['/port must be at most 65535']);
  });

  test('does not become what it is not', () => {
    expect(problems(schema, { port: '2.5', on: 'yes' }, all)).toEqual([
      '/port must be a whole number',
      '/on must be true or false',
    ]);
  });

  test('is the only text that is converted', () => {
    expect(problems(schema, { port: '22', on: 'true' })).toEqual([
      '/port must be a whole number',
      '/on must be true or false',
    ]);
  });
});

describe('secrets', () => {
  test('are told by their place, in every form and list', () => {
    const schema = closed({
      properties: {
        password: { type: 'string', secret: true },
        keys: { type: 'array', items: { type: 'string', secret: true } },
        auth: { oneOf: [closed({ properties: { token: { type: 'string', secret: true } } })] },
        user: { type: 'string' },
      },
    });
    const config = { password: 'p', keys: ['k0', 'k1'], auth: { token: 't' }, user: 'u' };
    expect([...check(schema, config).secrets]).toEqual([
      ['/password', 'p'],
      ['/keys/0', 'k0'],
      ['/keys/1', 'k1'],
      ['/auth/token', 't'],
    ]);
  });
});

describe('of several forms', () => {
  const sftp = closed({
    required: ['mode', 'host', 'hostKeys'],
    properties: { mode: { const: 'sftp' }, host: { type: 'string' }, hostKeys: { type: 'string' } },
  });
  const folder = closed({
    required: ['mode', 'directory'],
    properties: { mode: { const: 'folder' }, directory: { type: 'string' } },
  });
  const schema = closed({ properties: { from: { oneOf: [sftp, folder] } } });

  test('the one that was meant explains what is wrong', () => {
    expect(problems(schema, { from: { mode: 'sftp', host: 'h', hostkeys: 'k' } })).toEqual([
      `/from/hostkeys is not known; did you mean 'hostKeys'?`,
    ]);
    expect(problems(schema, { from: { mode: 'folder' } })).toEqual(['/from/directory is missing']);
  });

  test('none may fit', () => {
    expect(problems(schema, { from: 7 })).toEqual(['/from has none of the allowed forms']);
  });

  test('a word or an object is told apart', () => {
    const after = closed({
      properties: {
        after: {
          oneOf: [
            { enum: ['leave', 'delete'] },
            closed({ required: ['moveTo'], properties: { moveTo: { type: 'string' } } }),
          ],
        },
      },
    });
    expect(problems(after, { after: 'leav' })).toEqual([`/after must be 'leave' or 'delete'`]);
    expect(problems(after, { after: { move: 'a' } })).toEqual([
      '/after/moveTo is missing',
      '/after/move is not known; known here: moveTo',
    ]);
    expect(problems(after, { after: { moveto: 'a' } })).toEqual([
      `/after/moveto is not known; did you mean 'moveTo'?`,
    ]);
  });

  test('one of several settings may be asked for', () => {
    const either = closed({
      properties: { password: { type: 'string' }, privateKey: { type: 'string' } },
      anyOf: [{ required: ['password'] }, { required: ['privateKey'] }],
    });
    expect(problems(either, {})).toEqual([` needs 'password' or 'privateKey'`]);
    expect(problems(either, { password: 'p' })).toEqual([]);
  });

  test('settings of two are not mixed', () => {
    const exclusive = closed({
      properties: { a: { type: 'string' }, b: { type: 'string' } },
      oneOf: [{ required: ['a'] }, { required: ['b'] }],
    });
    expect(problems(exclusive, { a: '', b: '' })).toEqual([
      ' mixes settings of several forms; use those of one',
    ]);
  });

  test('one setting may need another', () => {
    const dependent = closed({
      properties: { passphrase: { type: 'string' }, privateKey: { type: 'string' } },
      dependentRequired: { passphrase: ['privateKey'] },
    });
    expect(problems(dependent, { passphrase: 'p' })).toEqual([
      `/privateKey is missing; 'passphrase' needs it`,
    ]);
  });
});

describe('forms of texts and lists', () => {
  test.each<[ConfigSchema, unknown, string]>([
    [{ type: 'string', format: 'uri' }, 'no uri', 'has not the right form (uri)'],
    [{ type: 'string', pattern: '^a+$' }, 'b', 'has not the right form: it must match ^a+$'],
    [
      { type: 'string', pattern: '^a+$', examples: ['aa'] },
      'b',
      `has not the right form; such as 'aa'`,
    ],
    [
      { type: 'array', uniqueItems: true, items: { type: 'integer' } },
      [1, 1],
      'names the same thing twice',
    ],
    [
      { type: 'array', maxItems: 1, items: { type: 'integer' } },
      [1, 2],
      'has too many parts: at most 1',
    ],
    [{ type: 'array', minItems: 1, items: { type: 'integer' } }, [], 'must not be empty'],
    [{ const: 'x' }, 'y', `must be 'x'`],
    [{ type: 'number', exclusiveMinimum: 0 }, 0, 'must be more than 0'],
    [{ not: { const: 1 } }, 1, 'is not allowed in this combination'],
  ])('are explained: %j', (schema, value, text) => {
    expect(problems(closed({ properties: { x: schema } }), { x: value })).toEqual([`/x ${text}`]);
  });

  test('two patterns of one schema are two patterns', () => {
    const schema = closed({
      properties: { a: { type: 'string', pattern: '^a$' }, b: { type: 'string', pattern: '^b$' } },
    });
    expect(problems(schema, { a: 'a', b: 'b' })).toEqual([]);
    expect(problems(schema, { a: 'a', b: 'a' })).toHaveLength(1);
  });

  test('a long text never reaches a pattern', () => {
    const schema = closed({ properties: { x: { type: 'string', pattern: '^(a|a)*$' } } });
    expect(problems(schema, { x: `${'a'.repeat(5000)}b` })).toHaveLength(1);
  });
});

describe('a schema is refused', () => {
  test.each<[string, ConfigSchema, string]>([
    ['no object', { type: 'string' }, 'its root must have "type": "object"'],
    ['open', { type: 'object' }, 'its root must have "additionalProperties": false'],
    [
      'open inside',
      closed({ properties: { a: { type: 'object', properties: {} } } }),
      '/properties/a must have "additionalProperties": false',
    ],
    [
      'open in a form',
      closed({ properties: { a: { oneOf: [{ type: 'object' }] } } }),
      '/properties/a/oneOf/0 must have',
    ],
    [
      'open in a list',
      closed({ properties: { a: { type: 'array', items: { type: 'object' } } } }),
      '/properties/a/items must have',
    ],
    ['misspelt', closed({ propertis: {} } as ConfigSchema), 'unknown keyword: "propertis"'],
    [
      'of an unknown format',
      closed({ properties: { a: { type: 'string', format: 'fqdn' } } }),
      'unknown format "fqdn"',
    ],
    [
      'contradicting itself',
      closed({ properties: { a: { type: 'string', minimum: 1 } } }),
      'strict mode',
    ],
  ])('that is %s', (_, schema, message) => {
    expect(() => validateConfig(`'acme'`, schema, {}, nothing)).toThrow(
      expect.objectContaining({
        code: 'OCTO_PLUGIN_SCHEMA',
        message: expect.stringContaining(message) as string,
      }),
    );
  });

  test('but an open map of closed things is none', () => {
    const schema = closed({
      properties: { tags: { type: 'object', additionalProperties: { type: 'string' } } },
    });
    expect(problems(schema, { tags: { a: 'b', c: 1 } })).toEqual([
      '/tags/c must be a text in quotes',
    ]);
  });
});
