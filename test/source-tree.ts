import { readdirSync, readFileSync } from 'node:fs';
import { join, posix } from 'node:path';

/** Source files by path, slash-separated and relative to the workspace: `packages/core/src/host/host.ts`. */
export type SourceTree = ReadonlyMap<string, string>;

/** One import, export-from or dynamic import. */
export interface Import {
  readonly from: string;
  /** A path of the tree for relative ones, else the specifier as written. */
  readonly to: string;
  /** `type`: gone at run time; `static`: loaded before the file runs; `dynamic`: when the file asks for it. */
  readonly kind: 'type' | 'static' | 'dynamic';
}

/** Every `src` of the workspace's packages. */
export function readSources(root: string): SourceTree {
  const tree = new Map<string, string>();
  for (const entry of readdirSync(join(root, 'packages'))) {
    const folder = posix.join('packages', entry, 'src');
    for (const file of readdirSync(join(root, folder), { recursive: true, encoding: 'utf8' })) {
      if (!file.endsWith('.ts')) continue;
      const path = posix.join(folder, file.replaceAll('\\', '/'));
      tree.set(path, readFileSync(join(root, path), 'utf8'));
    }
  }
  return tree;
}

/** The text without the lines that are comments: what they mention is no import and no call. */
export function codeOf(text: string): string {
  return text.replaceAll(/^\s*(\/\/|\/\*|\*).*$/gm, '');
}

const STATEMENT =
  /\b(import|export)\s+(type\s+)?((?:[\w*{}\s,$]|\bas\b)*?)\bfrom\s*['"]([^'"]+)['"]/g;
const EFFECT = /\bimport\s*['"]([^'"]+)['"]/g;
const CALL = /\bimport\s*\(\s*['"]([^'"]+)['"]/g;

/** What a file imports, in any way that TypeScript has. */
export function importsOf(from: string, text: string): Import[] {
  const code = codeOf(text);
  const one = (kind: Import['kind'], specifier = ''): Import => ({
    from,
    to: specifier.startsWith('.') ? posix.join(posix.dirname(from), specifier) : specifier,
    kind,
  });
  return [
    ...[...code.matchAll(STATEMENT)].map(([, , type, names = '', specifier]) =>
      one(type !== undefined || onlyTypes(names) ? 'type' : 'static', specifier),
    ),
    ...[...code.matchAll(EFFECT)].map(([, specifier]) => one('static', specifier)),
    ...[...code.matchAll(CALL)].map(([, specifier]) => one('dynamic', specifier)),
  ];
}

function onlyTypes(names: string): boolean {
  const inBraces = /^\s*\{([^}]*)\}\s*$/.exec(names)?.[1];
  const each = inBraces?.split(',').filter((name) => name.trim() !== '') ?? [];
  return each.length > 0 && each.every((name) => name.trim().startsWith('type '));
}

/** Every import of the tree. */
export function allImports(tree: SourceTree): Import[] {
  return [...tree].flatMap(([path, text]) => importsOf(path, text));
}
