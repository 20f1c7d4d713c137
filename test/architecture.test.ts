import { dirname } from 'node:path';
import { describe, expect, test } from 'vitest';
import {
  CHANCE,
  circles,
  homemade,
  importersOf,
  namedPlugins,
  ROOMS,
  SOURCES_OF_CHANCE,
  SOURCES_OF_TIME,
  TIME,
  unknownRooms,
  wrongPackages,
  wrongRooms,
} from './architecture-rules.ts';
import { allImports, importsOf, readSources } from './source-tree.ts';

const sources = readSources(dirname(import.meta.dirname));

describe('the workspace', () => {
  test('is read at all', () => {
    expect(sources.size).toBeGreaterThan(100);
    expect(allImports(sources).length).toBeGreaterThan(sources.size);
    expect(sources.has('packages/core/src/host/host.ts')).toBe(true);
  });

  test('has packages that import only what they may', () => {
    expect(wrongPackages(sources)).toEqual([]);
  });

  test('has rooms in core that import only what they may', () => {
    expect(unknownRooms(sources)).toEqual([]);
    expect(wrongRooms(sources)).toEqual([]);
  });

  test('names no plugin in core', () => {
    expect(namedPlugins(sources)).toEqual([]);
  });

  test('takes time and chance in core from where they are given', () => {
    expect(homemade(sources, TIME, SOURCES_OF_TIME)).toEqual([]);
    expect(homemade(sources, CHANCE, SOURCES_OF_CHANCE)).toEqual([]);
  });

  test.each(['tsyringe', 'reflect-metadata'])('knows %s in one place', (name) => {
    expect(importersOf(sources, name)).toEqual(['packages/core/src/host/container.ts']);
  });

  test('has no circles of imports', () => {
    expect(circles(sources)).toEqual([]);
  });
});

describe('the checker sees', () => {
  const core = (file: string, text: string): [string, string] => [
    `packages/core/src/${file}`,
    text,
  ];

  test.each([
    ['import { x } from "./y.ts"', 'static'],
    [`import x, { type y } from './y.ts'`, 'static'],
    [`import * as x from './y.ts'`, 'static'],
    [`import {\n  x,\n  type y,\n} from './y.ts'`, 'static'],
    [`import {\n  type x,\n  type y,\n} from './y.ts'`, 'type'],
    [`import type { x } from './y.ts'`, 'type'],
    [`export * from './y.ts'`, 'static'],
    [`export type { x } from './y.ts'`, 'type'],
    [`import './y.ts'`, 'static'],
    [`const x = await import('./y.ts')`, 'dynamic'],
    [`type X = typeof import('./y.ts')`, 'dynamic'],
  ])('%j', (text, kind) => {
    expect(importsOf('packages/a/src/b/x.ts', text)).toEqual([
      { from: 'packages/a/src/b/x.ts', to: 'packages/a/src/b/y.ts', kind },
    ]);
  });

  test('no import in a comment', () => {
    expect(importsOf('x.ts', `/**\n * import { a } from 'b';\n */\n// import 'c'`)).toEqual([]);
  });

  test.each([
    ['a plugin that imports core', 'sink-x', '@octo/core'],
    ['a plugin that imports another', 'sink-x', '@octo/provider-y'],
    ['a plugin that imports the test helpers', 'provider-x', '@octo/plugin-testing'],
    ['a plugin that climbs into another package', 'sink-x', '../../core/src/host/host.ts'],
    ['core that imports a plugin', 'core', '@octo/sink-x'],
    ['core that imports the test helpers', 'core', '@octo/plugin-testing'],
    ['core that imports SFTP', 'core', '@octo/sftp'],
    ['a contract that imports anything', 'plugin-api', 'node:fs'],
    ['a contract that imports anything else', 'plugin-api', 'ajv'],
    ['SFTP that imports core', 'sftp', '@octo/core'],
  ])('%s', (_, name, specifier) => {
    const path = `packages/${name}/src/x.ts`;
    expect(wrongPackages(new Map([[path, `import { a } from '${specifier}';`]]))).toHaveLength(1);
    expect(wrongPackages(new Map([[path, `import type { a } from '${specifier}';`]]))).toHaveLength(
      1,
    );
    expect(
      wrongPackages(new Map([[path, `const a = await import('${specifier}');`]])),
    ).toHaveLength(1);
  });

  test.each([
    ['sink-x', '@octo/plugin-api'],
    ['provider-x', '@octo/sftp'],
    ['provider-x', 'node:fs'],
    ['core', '@octo/plugin-api'],
    ['plugin-testing', '@octo/core'],
  ])('nothing wrong in %s with %s', (name, specifier) => {
    const tree = new Map([[`packages/${name}/src/x.ts`, `import { a } from '${specifier}';`]]);
    expect(wrongPackages(tree)).toEqual([]);
  });

  test('a room that reaches up', () => {
    const tree = new Map([
      core('pipeline/a.ts', `import { b } from '../host/b.ts';`),
      core('host/b.ts', `import type { c } from '../pipeline/attempt.ts';`),
      core('host/d.ts', `import type { Step } from '../pipeline/step.ts';`),
      core('cli/e.ts', `import { b } from '../host/b.ts';`),
      core('observe/f.ts', `export * from '../errors/octo-error.ts';`),
      core('index.ts', `export * from './host/b.ts';`),
    ]);
    expect(wrongRooms(tree)).toEqual([
      'packages/core/src/pipeline/a.ts imports packages/core/src/host/b.ts',
      'packages/core/src/host/b.ts imports packages/core/src/pipeline/attempt.ts',
      'packages/core/src/observe/f.ts imports packages/core/src/errors/octo-error.ts',
    ]);
  });

  test('a room that nobody has thought about', () => {
    expect(unknownRooms(new Map([core('utils/a.ts', '')]))).toEqual(['utils']);
  });

  test('a table that forbids what nobody could do otherwise', () => {
    const named = Object.values(ROOMS)
      .flat()
      .map((path) => path.split('/')[0]);
    expect(named.filter((room) => !Object.hasOwn(ROOMS, room ?? ''))).toEqual([]);
  });

  test('the name of a plugin, wherever core writes it', () => {
    const tree = new Map([
      core('cli/a.ts', `const known = ['@octo/sink-x'];`),
      ['packages/sink-x/src/index.ts', ''],
    ]);
    expect(namedPlugins(tree)).toEqual(['packages/core/src/cli/a.ts: sink-x']);
  });

  test('time and chance of one’s own', () => {
    const tree = new Map([
      core('host/a.ts', `import { setTimeout as wait } from 'node:timers/promises';`),
      core('host/b.ts', 'const t = Date.now();'),
      core('host/c.ts', 'const t = new Date().toISOString();'),
      core('host/d.ts', 'const t = new Date(clock.now());\n// Date.now would not do'),
      core('host/e.ts', 'const r = Math.random();'),
    ]);
    const paths = (names: string) =>
      names.split('').map((name) => `packages/core/src/host/${name}.ts`);
    expect(homemade(tree, TIME, [])).toEqual(paths('abc'));
    expect(homemade(tree, TIME, paths('a'))).toEqual(paths('bc'));
    expect(homemade(tree, CHANCE, [])).toEqual(paths('e'));
  });

  test('a circle, but not one of types or of what is loaded later', () => {
    const tree = new Map([
      core('host/a.ts', `import { b } from './b.ts';`),
      core('host/b.ts', `import { c } from './c.ts';`),
      core('host/c.ts', `import { a } from './a.ts';`),
      core('host/d.ts', `import type { e } from './e.ts';`),
      core('host/e.ts', `import { d } from './d.ts'; const f = await import('./f.ts');`),
      core('host/f.ts', `import { e } from './e.ts';`),
    ]);
    expect(circles(tree)).toEqual([
      ['a', 'b', 'c', 'a'].map((name) => `packages/core/src/host/${name}.ts`).join(' → '),
    ]);
  });
});
