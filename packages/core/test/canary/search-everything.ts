import { expect } from 'vitest';
import { findInAnswers } from './find-in-answers.ts';
import { type Leak, type LeakySite, openLeakySite, type RunningHost } from './leaky-site.ts';
import { findInFolder, findInProcesses, findInTables, type Seen } from './places.ts';

/** How far the search goes. */
export interface Wideness {
  /** Command lines, run when the host has ended. */
  readonly commands: readonly (readonly string[])[];
  /** Manifests with faults that the API is asked about. */
  readonly faults: number;
}

/** Where the one who uses the host has put secrets, relative to their folder: there they belong. */
const THEIR_PLACES = new Set(['plugins.json', 'wrong', 'ssh-key', 'openpgp']);

/**
 * Runs a host with these leaks, one of which waits, beside the others of a site, asks it and every command for all that they tell, and
 * searches what came out: output, logs, answers, tables, files, processes, objects.
 * @returns what was found, which should be nothing
 */
export async function searchEverything(
  leaks: Readonly<Record<string, Leak>>,
  { commands, faults }: Wideness,
): Promise<readonly string[]> {
  let host: RunningHost | undefined;
  let seen: Seen | undefined;
  await using site = await openLeakySite(leaks, async () => {
    seen = await findInProcesses(site.canaries, host!.pid);
  });
  const { canaries } = site;
  const key = canaries.add(
    'API key',
    (await site.octo('keys', 'create', '--name', 'ci', '--scope', 'admin')).stdout.trim(),
  );
  host = await site.start();
  await host.ran;
  const found: string[] = [];
  found.push(...(await findInAnswers(host.url, key, site, faults)));
  const { code, stdout, stderr } = await host.stop();
  found.push(
    ...canaries.find(stdout, 'stdout of start'),
    ...canaries.find(stderr, 'stderr of start'),
  );
  for (const argv of commands) {
    const said = await site.octo(...argv);
    found.push(...canaries.find(said.stdout + said.stderr, argv.join(' ')));
  }
  found.push(...(await findInTables(canaries, site.database)));
  found.push(...(await findInFolder(canaries, site.folder, (path) => THEIR_PLACES.has(path))));
  found.push(...findInObjects(site), ...(seen?.found ?? []));
  // Nothing was found because nothing happened: then it would prove nothing.
  expect(code).toBe(0);
  expect(stderr).toContain('[secret]');
  expect(site.s3.objects('lake').map((object) => object.key)).toEqual(['good/a.csv']);
  expect(site.echoing.count).toBeGreaterThan(3);
  if (process.platform === 'linux') expect(seen?.workers).toBeGreaterThan(0);
  return found;
}

function findInObjects({ canaries, s3 }: LeakySite): readonly string[] {
  return s3
    .objects('lake')
    .flatMap(({ key, metadata, tags, headers }) =>
      canaries.find(JSON.stringify({ key, metadata, tags, headers }), `the object ${key}`),
    );
}
