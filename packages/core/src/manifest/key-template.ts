import { escapeText } from '../observe/escape-text.ts';
import { suggest } from './suggest.ts';

/** What every key template may say, whatever the provider. `date` takes a format: `{date:yyyy/MM/dd}`. */
const WORDS = ['pipeline', 'provider', 'path', 'name'];

/** What is wrong with the template of an object's key; `undefined` when nothing is. */
export function keyTemplateProblem(template: string): string | undefined {
  let rest = '';
  let end = 0;
  for (const match of template.matchAll(/\{([^{}]*)\}/g)) {
    const problem = wordProblem(match[1] ?? '');
    if (problem !== undefined) return problem;
    rest += `${template.slice(end, match.index)}x`;
    end = match.index + match[0].length;
  }
  rest += template.slice(end);
  if (/[{}]/.test(rest)) return 'has a brace without its partner';
  if (rest.startsWith('/')) return 'begins with a slash; keys are relative to the sink';
  if (rest.split('/').some((segment) => segment === '' || segment === '.' || segment === '..')) {
    return `has an empty, '.' or '..' segment`;
  }
  if (escapeText(rest) !== rest || rest.includes('\\')) {
    return 'has control or invisible characters or a backslash';
  }
  return undefined;
}

function wordProblem(word: string): string | undefined {
  const shown = `{${escapeText(word)}}`;
  if (word.startsWith('date:')) return dateProblem(word.slice('date:'.length), shown);
  if (!/^[A-Za-z_][A-Za-z0-9_]*$/.test(word)) {
    return `has ${shown}, which is no word; known are {${WORDS.join('}, {')}}, {date:yyyy/MM/dd} and the named groups of the provider's pattern`;
  }
  if (WORDS.includes(word) || word.length < 3) return undefined;
  // Any other word may be a named group of the provider's pattern; this one is more probably a slip.
  const meant = suggest(word, WORDS);
  const slip = meant !== undefined && Math.abs(meant.length - word.length) <= 1;
  return slip ? `has ${shown}, which is not known; did you mean '{${meant}}'?` : undefined;
}

function dateProblem(format: string, shown: string): string | undefined {
  const left = format.replaceAll(/yyyy|MM|dd|HH|mm|ss/g, '');
  if (format === left)
    return `has ${shown}, which has no part of a date; such as {date:yyyy/MM/dd}`;
  if (!/[A-Za-z]/.test(left)) return undefined;
  return `has ${shown}; the parts of a date are yyyy, MM, dd, HH, mm and ss`;
}
