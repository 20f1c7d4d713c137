import { readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { expect } from 'vitest';
import type { LeakySite } from './leaky-site.ts';

const openApi = fileURLToPath(new URL('../../schema/openapi.json', import.meta.url));

interface Ask {
  readonly method?: string;
  readonly body?: string;
  readonly headers?: Readonly<Record<string, string>>;
}

interface Row {
  readonly id: string;
  readonly state?: string;
}

type Paths = Readonly<Record<string, Readonly<Record<string, unknown>>>>;

/**
 * Asks a running host for everything: each route that can be read, with the ids that there are and with wrong ones, the
 * events of each run, a token, and manifests that have faults beside and at their secrets.
 */
export async function findInAnswers(
  url: string,
  key: string,
  site: LeakySite,
  faults: number,
): Promise<readonly string[]> {
  const { canaries } = site;
  const found: string[] = [];
  const ask = async (path: string, init: Ask = {}, bearer = key): Promise<string> => {
    const headers = { authorization: `Bearer ${bearer}`, ...init.headers };
    const answer = await fetch(url + path, {
      ...init,
      headers,
    });
    const text = await answer.text();
    const head = JSON.stringify([...answer.headers]);
    found.push(...canaries.find(head + text, `the answer ${answer.status} to ${path}`));
    return text;
  };
  const roomOf = async (path: string, room: string): Promise<readonly Row[]> =>
    (JSON.parse(await ask(path)) as Readonly<Record<string, readonly Row[]>>)[room] ?? [];
  const rooms: Readonly<Record<string, readonly Row[]>> = {
    // The events of a run that goes on have no end.
    runs: (await roomOf('/v1/runs?limit=200', 'runs')).filter(hasEnded),
    files: await roomOf('/v1/files?limit=200', 'files'),
    plugins: await roomOf('/v1/plugins', 'plugins'),
    pipelines: await roomOf('/v1/pipelines', 'pipelines'),
  };
  for (const rows of Object.values(rooms)) expect(rows.length).toBeGreaterThan(0);
  const { paths } = JSON.parse(await readFile(openApi, 'utf8')) as { readonly paths: Paths };
  for (const [path, methods] of Object.entries(paths)) {
    if (!('get' in methods)) continue;
    const room = path.split('/')[2] ?? '';
    const known = (rooms[room] ?? []).map(({ id }) => id);
    const targets = path.includes('{id}') ? [...known, 'nobody'] : [''];
    for (const id of targets) await ask(path.replace('{id}', encodeURIComponent(id)));
    await ask(`${path.replace('{id}', 'x')}?unknown=1&limit=-1`);
  }
  await ask('/v1/runs', {}, `${key}x`);
  const post = (path: string, body: string, type = 'application/json') =>
    ask(path, { method: 'POST', body, headers: { 'content-type': type } });
  const manifest = await readFile(`${site.folder}/plugins.json`, 'utf8');
  for (const text of faulty(site).slice(0, faults)) {
    await post('/v1/manifest/validate', JSON.stringify({ text }));
  }
  await post('/v1/manifest/plan', JSON.stringify({ text: manifest }));
  for (const body of [`{"text":`, `"${key}"`, `{"pipeline":"${key}"}`, `{"${key}":1}`])
    await post('/v1/runs', body);
  return found;
}

function hasEnded({ state }: Row): boolean {
  return state === 'SUCCEEDED' || state === 'FAILED';
}

/** The manifest of a site with something wrong beside a secret, or at it; each secret that is written out comes once. */
export function faulty({ manifest, canaries }: LeakySite): readonly string[] {
  const text = JSON.stringify(manifest, null, 2);
  const isWritten = (secret: string) => text.includes(JSON.stringify(secret));
  const written = [...canaries.slots.values()].filter(isWritten);
  const broken = written.map((secret, index) => {
    const word = JSON.stringify(secret);
    return text.replace(word, () => FAULTS[index % FAULTS.length]!(word, secret));
  });
  return [text.slice(0, text.length / 2), text.replaceAll('"policy"', '"polici"'), ...broken];
}

const FAULTS: readonly ((word: string, secret: string) => string)[] = [
  (word) => `[${word}]`,
  (word) => `${word} ${word}`,
  (_, secret) => JSON.stringify(`\${env:${secret}`),
  (word) => `{ ${word}: ${word} }`,
  (word) => word.slice(0, -1),
  (_, secret) => JSON.stringify(`\${${secret}}`),
  (_, secret) => JSON.stringify(`\${env:${secret.replace(/\W/g, '')}}`),
];
