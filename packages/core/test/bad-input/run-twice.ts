/** What a run looks like to a person, to a program, at the sink and in the ledger; all of it must agree. */
import { expect } from 'vitest';
import { type Ended, openSite, type RunResult, type Site, type SiteOptions } from './site.ts';

export interface Ran {
  readonly code: number;
  /** Keys that anybody can see at the sink. */
  readonly visible: readonly string[];
  /** The reason for each file that was set aside, by its name. Left out when there is none. */
  readonly refused?: { readonly [name: string]: string };
  /** The same for files that the next run tries again. */
  readonly failed?: { readonly [name: string]: string };
}

/** Runs a site once for people and, from the beginning, once for programs. */
export async function runTwice(options: () => SiteOptions): Promise<Ran> {
  const [site, twin] = [await openSite(options()), await openSite(options())];
  const told = await site.run();
  const { code, stderr, result } = await twin.runJson();
  const ran = ranOf(code, await twin.visible(), result);
  expect({ code: told.code, visible: await site.visible() }).toEqual({
    code,
    visible: await twin.visible(),
  });
  expect(resultLines(told)).toEqual(linesOf(ran));
  expect(told.stderr + stderr).not.toMatch(/warn|error|unexpected/);
  expect([...(await site.leftovers()), ...(await twin.leftovers())]).toEqual([]);
  await expectLedgerTells(site, ran);
  return { ...ran, visible: withoutHashes(ran.visible) };
}

/** The same for a run that cannot begin: nothing but one line, nothing at the sink. */
export async function failTwice(
  options: () => SiteOptions,
): Promise<{ readonly code: number; readonly line: string }> {
  const site = await openSite(options());
  const told = await site.run();
  const lines = told.stderr.split('\n').filter((line) => line !== '' && !isProgress(line));
  const { code, result } = await site.runJson();
  expect({ code: told.code, stdout: told.stdout, lines }).toEqual({
    code,
    stdout: '',
    lines: [`octo-host: ${result.error}`],
  });
  expect(result.delivered).toEqual([]);
  expect(await site.visible()).toEqual([]);
  return { code, line: withoutChance(result.error ?? '') };
}

/** Ports are free ones; folders, prefixes and the objects of probes have names of chance. */
export function withoutChance(text: string): string {
  return text
    .replaceAll(/127\.0\.0\.1:\d+/g, '127.0.0.1:PORT')
    .replaceAll(/[^\s'"]*octo-bad-\w+/g, 'FOLDER')
    .replaceAll(/[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f-]{22}/g, 'UUID');
}

function ranOf(code: number, visible: readonly string[], result: RunResult): Ran {
  const refused = byName(result.quarantined.map(({ path, reason }) => [path, reason]));
  const failed = byName(result.failed.map(({ path, error }) => [path, error]));
  return { code, visible, ...(refused && { refused }), ...(failed && { failed }) };
}

function byName(
  files: readonly (readonly [path: string, why: string])[],
): { readonly [name: string]: string } | undefined {
  if (files.length === 0) return undefined;
  // A file that is told twice in one run would get lost here.
  expect(new Set(files.map(([path]) => path)).size).toBe(files.length);
  return Object.fromEntries(
    files.map(([path, why]) => [path.replace('/in/', ''), withoutChance(why)]),
  );
}

function linesOf({ refused = {}, failed = {} }: Ran): string[] {
  const spelt = (word: string, names: { readonly [name: string]: string }) =>
    Object.entries(names).map(([name, why]) => `${word} /in/${name}: ${why}`);
  return [...spelt('refused', refused), ...spelt('failed', failed)].toSorted();
}

/** One for each file, as the run tells them when they happen. */
function resultLines({ stdout }: Ended): string[] {
  const lines = withoutChance(stdout).split('\n');
  return lines.filter((line) => /^(refused|failed) /.test(line)).toSorted();
}

async function expectLedgerTells(site: Site, { refused = {}, failed = {} }: Ran): Promise<void> {
  for (const [name, why] of Object.entries({ ...refused, ...failed })) {
    const { code, stdout } = await site.octo(['files', 'show', `/in/${name}`]);
    expect(code).toBe(0);
    expect(withoutChance(stdout)).toContain(why);
  }
}

/** The folders of an archive's members have the name of a hash. */
function withoutHashes(keys: readonly string[]): string[] {
  return keys.map((key) => key.replaceAll(/[0-9a-f]{64}/g, 'HASH')).toSorted();
}

function isProgress(line: string): boolean {
  return /^(connecting to|\d+ files? at the vendor|trying again )/.test(line);
}
