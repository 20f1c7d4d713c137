import { expectTypeOf, test } from 'vitest';
import type { ConfigOf } from '../src/index.ts';

// The compiler is the test: `tsc -p tsconfig.check.json` fails where a type differs.

test('what is required or has a default is there; what is neither may be missing', () => {
  expectTypeOf<
    ConfigOf<{
      type: 'object';
      required: ['a'];
      properties: {
        a: { type: 'string' };
        b: { type: 'integer'; default: 3 };
        c: { type: 'boolean' };
      };
    }>
  >().toEqualTypeOf<{ readonly a: string; readonly b: number; readonly c?: boolean }>();
});

test('simple schemas are simple types', () => {
  expectTypeOf<ConfigOf<{ type: 'string' }>>().toEqualTypeOf<string>();
  expectTypeOf<ConfigOf<{ type: 'number' }>>().toEqualTypeOf<number>();
  expectTypeOf<ConfigOf<{ type: 'integer' }>>().toEqualTypeOf<number>();
  expectTypeOf<ConfigOf<{ type: 'boolean' }>>().toEqualTypeOf<boolean>();
  expectTypeOf<ConfigOf<{ type: 'null' }>>().toEqualTypeOf<null>();
});

test('enum and const are their values', () => {
  expectTypeOf<ConfigOf<{ enum: readonly ['leave', 'delete', 7] }>>().toEqualTypeOf<
    'leave' | 'delete' | 7
  >();
  expectTypeOf<ConfigOf<{ const: 'sftp' }>>().toEqualTypeOf<'sftp'>();
});

test('lists are readonly', () => {
  expectTypeOf<ConfigOf<{ type: 'array'; items: { type: 'string' } }>>().toEqualTypeOf<
    readonly string[]
  >();
});

test('objects nest', () => {
  expectTypeOf<
    ConfigOf<{
      type: 'object';
      required: ['tls'];
      properties: {
        tls: { type: 'object'; required: ['ca']; properties: { ca: { type: 'string' } } };
      };
    }>
  >().toEqualTypeOf<{ readonly tls: { readonly ca: string } }>();
});

test('forms are a union', () => {
  type Config = ConfigOf<{
    oneOf: readonly [
      { enum: readonly ['leave', 'delete'] },
      { type: 'object'; required: ['moveTo']; properties: { moveTo: { type: 'string' } } },
    ];
  }>;
  expectTypeOf<Config>().toEqualTypeOf<'leave' | 'delete' | { readonly moveTo: string }>();
});

test('an object that only narrows with anyOf stays that object', () => {
  type Config = ConfigOf<{
    type: 'object';
    properties: { password: { type: 'string' }; key: { type: 'string' } };
    anyOf: readonly [{ required: readonly ['password'] }, { required: readonly ['key'] }];
  }>;
  expectTypeOf<Config>().toEqualTypeOf<{ readonly password?: string; readonly key?: string }>();
});

test('a schema that says nothing is unknown', () => {
  expectTypeOf<ConfigOf<{ description: 'anything' }>>().toEqualTypeOf<unknown>();
});
