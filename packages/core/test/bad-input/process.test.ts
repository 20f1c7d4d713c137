/** What only a process of its own can meet: signals in the middle of a run, readers that go away. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { generatedContent, VirtualTree } from '@octo/plugin-testing';
import { expect, onTestFinished, test } from 'vitest';
import { expectNoSecret } from './canaries.ts';
import { openSite, packages, type Site, withLedger } from './site.ts';

withLedger();

/** The program with its sources: what is built is proved elsewhere. */
const main = join(packages, 'core/src/cli/main.ts');
const node = [
  '--conditions=octo-source',
  '--no-warnings',
  '--input-type=module',
  '--eval',
  `import { main } from ${JSON.stringify(main)}; await main(process.argv.slice(1));`,
];

interface Program {
  readonly child: ChildProcess;
  readonly ended: Promise<number | null>;
  said(): string;
  /** Resolves when the program has said this. */
  until(text: string): Promise<void>;
}

function program(site: Site, argv: readonly string[]): Program {
  const { PATH = '' } = process.env;
  const env = { PATH, ...site.env };
  const child = spawn(process.execPath, [...node, '--', ...argv], { cwd: site.folder, env });
  onTestFinished(() => void child.kill('SIGKILL'));
  const heard = new EventTarget();
  let said = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding('utf8').on('data', (text: string) => {
      said += text;
      heard.dispatchEvent(new Event('more'));
    });
  }
  const ended = once(child, 'close').then(([code]) => {
    expectNoSecret(said);
    return code as number | null;
  });
  const until = async (text: string) => {
    while (!said.includes(text)) {
      const more = new Promise((resolve) =>
        heard.addEventListener('more', resolve, { once: true }),
      );
      if ((await Promise.race([more, ended])) === null || child.exitCode !== null) break;
    }
    expect(said).toContain(text);
  };
  return { child, ended, said: () => said, until };
}

/** A vendor that takes minutes for its large file. */
async function slowSite(): Promise<Site> {
  const content = generatedContent(20_000_000);
  const tree = new VirtualTree().file('/in/a.csv', 'x\n').file('/in/large.csv', content);
  return await openSite({ tree, faults: { trickle: { bytes: 32_768, everyMs: 20 } } });
}

test('Ctrl-C in the middle of a run ends it at once, and the next run takes it up', async () => {
  const site = await slowSite();
  const first = program(site, ['run', 'daily']);
  await first.until('delivered /in/a.csv');
  first.child.kill('SIGINT');
  expect(await first.ended).toBe(130);
  expect(first.said().trimEnd().split('\n').at(-1)).toBe(
    'octo-host: interrupted by SIGINT; the next run takes up what was in flight',
  );
  expect(await site.visible()).toEqual(['a.csv']);
  delete site.server.faults.trickle;
  const second = program(site, ['run', 'daily', '--json']);
  expect(await second.ended).toBe(0);
  expect(JSON.parse(second.said())).toMatchObject({ delivered: [{ path: '/in/large.csv' }] });
  expect(await site.visible()).toEqual(['a.csv', 'large.csv']);
  expect(await site.leftovers()).toEqual([]);
});

test('a reader that goes away does not stop a run, nor make it fail', async () => {
  const tree = new VirtualTree();
  for (let number = 0; number < 50; number++) tree.file(`/in/${number}.csv`, `${number}\n`);
  const site = await openSite({ tree });
  const run = program(site, ['run', 'daily']);
  run.child.stdout?.destroy();
  run.child.stderr?.destroy();
  expect(await run.ended).toBe(0);
  expect(await site.visible()).toHaveLength(50);
});
