import { createScanner, type Node, type ParseError, parseTree } from 'jsonc-parser';
import type { Issue } from '../errors/octo-error.ts';
import { errorOfIssues } from '../errors/octo-error.ts';
import { ManifestSource, type Place } from './manifest-source.ts';
import { pointerTo } from './pointer.ts';

export interface Parsed {
  readonly value: unknown;
  readonly source: ManifestSource;
}

/**
 * JSON with comments and trailing commas, as plain values, with the place of each.
 * @throws OctoError `OCTO_MANIFEST_SYNTAX`, `OCTO_MANIFEST_DUPLICATE_KEY`; messages never quote the text
 */
export function parseText(file: string, text: string): Parsed {
  const bare = new ManifestSource(file, text);
  refuseDeep(text, bare);
  const errors: ParseError[] = [];
  const root = parseTree(text, errors, { allowTrailingComma: true, disallowComments: false });
  if (errors[0] !== undefined || root === undefined) throw syntaxError(bare, text, errors[0]);
  const places = new Map<string, Place>();
  const source = new ManifestSource(file, text, places);
  const issues: Issue[] = [];
  const value = valueOf(root, '', { places, issues, source });
  if (issues.length > 0) throw errorOfIssues(issues);
  return { value, source };
}

const MAX_DEPTH = 64;

/** The parser recurses; a scanner does not. */
function refuseDeep(text: string, source: ManifestSource): void {
  const scanner = createScanner(text, true);
  let depth = 0;
  for (let token: number = scanner.scan(); token !== TOKEN.endOfFile; token = scanner.scan()) {
    if (token === TOKEN.openBrace || token === TOKEN.openBracket) depth++;
    if (token === TOKEN.closeBrace || token === TOKEN.closeBracket) depth--;
    if (depth > MAX_DEPTH) {
      const where = source.at(scanner.getTokenOffset());
      const message = `the manifest is nested more than ${MAX_DEPTH} levels deep (${where})`;
      throw errorOfIssues([{ code: 'OCTO_MANIFEST_SYNTAX', where, message }]);
    }
  }
}

/** jsonc-parser's SyntaxKind, a const enum that cannot be imported as a value. */
const TOKEN = { openBrace: 1, closeBrace: 2, openBracket: 3, closeBracket: 4, endOfFile: 17 };

/** By jsonc-parser's ParseErrorCode, a const enum that cannot be imported as a value. */
const SYNTAX: Readonly<Record<number, string>> = {
  1: 'something is not JSON here; a text without quotes?',
  2: 'a number is not spelled right',
  3: 'a name in double quotes is expected',
  4: 'a value is expected',
  5: 'a colon is expected',
  6: 'a comma is expected',
  7: 'a closing brace } is expected',
  8: 'a closing bracket ] is expected',
  9: 'something follows after the end of the manifest',
  11: 'a comment is not closed',
  12: 'a text is not closed',
  13: 'a number is not finished',
  14: 'an \\u escape needs four hexadecimal digits',
  15: 'a backslash is followed by a character that has no such escape; write \\\\ for a backslash',
  16: 'a text contains a control character; line breaks are written \\n',
};

function syntaxError(source: ManifestSource, text: string, error: ParseError | undefined): Error {
  const end = text.trimEnd().length;
  const offset = error?.offset ?? 0;
  const where = source.at(offset);
  let problem = SYNTAX[error?.error ?? 4] ?? 'this is not JSON';
  if (end === 0) problem = 'the file is empty; is it still being written?';
  else if (offset >= end) problem = `the file ends too early: ${problem}`;
  return errorOfIssues([
    {
      code: 'OCTO_MANIFEST_SYNTAX',
      where,
      message: `the manifest cannot be read: ${problem} (${where})`,
    },
  ]);
}

interface Sight {
  readonly places: Map<string, Place>;
  readonly issues: Issue[];
  readonly source: ManifestSource;
}

function valueOf(node: Node, pointer: string, sight: Sight, key?: number): unknown {
  sight.places.set(pointer, { key, value: node.offset });
  if (node.type === 'array') {
    return (node.children ?? []).map((child, index) =>
      valueOf(child, pointerTo(pointer, index), sight),
    );
  }
  if (node.type === 'object') return objectOf(node, pointer, sight);
  const value: unknown = node.value;
  return value;
}

function objectOf(node: Node, pointer: string, sight: Sight): Record<string, unknown> {
  const value: Record<string, unknown> = {};
  for (const { children: [name, child] = [] } of node.children ?? []) {
    if (name === undefined || child === undefined) continue;
    const key = String(name.value);
    const place = pointerTo(pointer, key);
    const problem = keyProblem(key, value, place, sight);
    if (problem === undefined) value[key] = valueOf(child, place, sight, name.offset);
    else sight.issues.push(problem(name.offset));
  }
  return value;
}

function keyProblem(
  key: string,
  value: Record<string, unknown>,
  pointer: string,
  { source, places }: Sight,
): ((offset: number) => Issue) | undefined {
  const issue = (message: string) => (offset: number) => {
    const where = source.at(offset);
    return {
      code: 'OCTO_MANIFEST_DUPLICATE_KEY' as const,
      pointer,
      where,
      message: `${message} (${where})`,
    };
  };
  if (key === '__proto__') return issue(`'__proto__' is not allowed as a name`);
  if (!Object.hasOwn(value, key)) return undefined;
  const first = source.at(places.get(pointer)?.key ?? 0);
  return issue(`${source.subject(pointer)} is there twice; the first is at ${first}`);
}
