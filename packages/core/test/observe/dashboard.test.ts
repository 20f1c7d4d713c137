import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { Metrics } from '../../src/observe/metrics.ts';

interface Dashboard {
  readonly panels: readonly {
    readonly title: string;
    readonly targets: readonly { readonly expr: string }[];
  }[];
}

const file = join(import.meta.dirname, '../../../../deploy/grafana-dashboard.json');
const { panels } = JSON.parse(readFileSync(file, 'utf8')) as Dashboard;

/** What the host offers, with the labels of what it counts itself: a word of each kind has been said. */
async function offered(): Promise<ReadonlyMap<string, ReadonlySet<string>>> {
  const metrics = new Metrics();
  metrics.runEnded('trades', 'failed');
  metrics.file('trades', 'delivered');
  metrics.read('trades', 1);
  metrics.retried('trades');
  metrics.breaker('vendor', 'open');
  metrics.reloaded('refused');
  metrics.step('trades', 'list', 1);
  metrics.request('GET', '/v1/runs', 200, 1);
  metrics.depth(new Map([['trades', { queued: 1, running: 1 }]]));
  const found = new Map<string, Set<string>>();
  for (const line of (await metrics.text()).split('\n')) {
    const [, name, labels = ''] = /^([a-z]\w*)(?:\{(.*)\})? /.exec(line) ?? [];
    if (name === undefined) continue;
    const names = found.get(name) ?? new Set();
    found.set(name, names);
    for (const [, label = ''] of labels.matchAll(/(\w+)="/g)) names.add(label);
  }
  return found;
}

/** Prometheus puts these on whatever it collects. */
const OF_PROMETHEUS = ['instance', 'job'];

const queries = panels.flatMap(({ title, targets }) =>
  targets.map(({ expr }) => [title, expr] as const),
);

test.each(queries)(
  'the panel %s asks for nothing that the host does not offer',
  async (_, expr) => {
    const metrics = await offered();
    const asked = [...expr.matchAll(/\b((?:octo|nodejs|process)_\w+)/g)].map(([, name]) => name!);
    expect(asked).not.toEqual([]);
    expect(asked.filter((name) => !metrics.has(name))).toEqual([]);
    const known = [...asked.flatMap((name) => [...metrics.get(name)!]), ...OF_PROMETHEUS];
    expect(labelsOf(expr).filter((label) => !known.includes(label))).toEqual([]);
  },
);

test('whatever the host counts itself is on the dashboard', async () => {
  expect(queries).not.toEqual([]);
  const asked = queries.map(([, expr]) => expr).join('\n');
  const own = [...(await offered()).keys()].filter((name) => name.startsWith('octo_'));
  const stems = new Set(own.map((name) => name.replace(/_(?:bucket|sum|count)$/, '')));
  expect([...stems].filter((stem) => !asked.includes(stem))).toEqual([]);
});

function labelsOf(expr: string): string[] {
  const filters = [...expr.matchAll(/(\w+)(?:=~|!~|!=|=)"/g)].map(([, label]) => label!);
  const groups = [...expr.matchAll(/\bby \(([^)]*)\)/g)].flatMap(([, list]) => list!.split(', '));
  return [...filters, ...groups];
}
