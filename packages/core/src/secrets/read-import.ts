import { OctoError, errorOfIssues, type Issue } from '../errors/octo-error.ts';
import { parseDotenv } from './dotenv.ts';
import { isGrant, isSecretName, valueProblem } from './secret-entry.ts';

/** What a file to import says of one secret. */
export interface ImportedSecret {
  readonly name: string;
  readonly value: string;
  /** Only JSON can say. */
  readonly grants?: readonly string[];
}

/** One that was read, or why not; and where it stands: `line 3`, `entry 3`. */
interface Found {
  readonly place: string;
  readonly name: string;
  readonly value?: string;
  readonly grants?: readonly string[];
  readonly why?: string;
}

/**
 * The secrets of a text: dotenv, or JSON `{ "NAME": "value" }` or `{ "NAME": { "value": "…", "grants": ["lake"] } }`, which is
 * what `secrets export` writes.
 * @throws OctoError `OCTO_SECRET_LINES` with an issue for each line that is not right; no value is repeated
 */
export function readImport(text: string): readonly ImportedSecret[] {
  const found = text.trimStart().startsWith('{') ? ofJson(text) : ofDotenv(text);
  const issues = [...found.flatMap(whyNot), ...twice(found)];
  if (issues.length > 0) throw errorOfIssues(issues);
  return found.map(({ name, value = '', grants }) =>
    grants === undefined ? { name, value } : { name, value, grants },
  );
}

function ofDotenv(text: string): Found[] {
  const { lines, doubtful } = parseDotenv(text);
  const placed = [...lines, ...doubtful].toSorted((a, b) => a.line - b.line);
  return placed.map(({ line, ...rest }) => ({ name: '', ...rest, place: `line ${line}` }));
}

function ofJson(text: string): Found[] {
  const entries = Object.entries(parsed(text));
  return entries.map(([name, given], index) => ({
    name,
    place: `entry ${index + 1}`,
    ...ofValue(given),
  }));
}

function parsed(text: string): Record<string, unknown> {
  try {
    // It begins with a brace.
    return JSON.parse(text) as Record<string, unknown>;
  } catch {
    // Without the cause: V8's message quotes the text.
    throw new OctoError('OCTO_SECRET_LINES', 'the file begins like JSON, and is none');
  }
}

function ofValue(given: unknown): Partial<Found> {
  if (typeof given === 'string') return { value: given };
  const { value, grants } = (given ?? {}) as Record<string, unknown>;
  if (typeof value !== 'string') return { why: 'has a value that is not text' };
  if (grants === undefined) return { value };
  const isGood =
    Array.isArray(grants) && grants.every((one) => typeof one === 'string' && isGrant(one));
  return isGood ? { value, grants: grants as string[] } : { why: 'has grants that are none' };
}

function whyNot({ place, name, value, why }: Found): Issue[] {
  const problem =
    why ??
    (isSecretName(name)
      ? valueProblem(value ?? '')
      : "has a name that is none (letters, digits, '_', '-', '.'; at most 128)");
  return problem === undefined ? [] : [issue(`${place} ${problem}`)];
}

function twice(found: readonly Found[]): Issue[] {
  const first = new Map<string, string>();
  return found.flatMap(({ name, place }) => {
    const earlier = first.get(name);
    if (earlier === undefined) first.set(name, place);
    return earlier === undefined || name === ''
      ? []
      : [issue(`${place} has the name of ${earlier}`)];
  });
}

function issue(message: string): Issue {
  return { code: 'OCTO_SECRET_LINES', message };
}
