import { describe, expect, test } from 'vitest';
import { explore } from './explore.ts';
import { planted } from './planted.ts';
import { ProtocolWorld, type Scenario } from './protocol-world.ts';
import { mistakes, scenarios } from './scenarios.ts';

const ENOUGH = 20_000;
const PATIENCE_MS = 300_000;

// The deeper exploration is in packages/core/conformance.
describe('the protocol holds in every order of steps and faults', () => {
  test.each(Object.entries<Scenario>(scenarios))(
    '%s',
    async (_name, scenario) => {
      const alone = scenario.workers === 1;
      const switches = alone || scenario.files.length > 1 ? 0 : 1;
      const bounds = { faults: alone ? 2 : 1, switches, executions: ENOUGH };
      const result = await explore(() => ProtocolWorld.open(scenario), bounds);
      expect(result.violation).toBeUndefined();
      expect(result.complete).toBe(true);
      for (const fault of ['crash', 'crash after', 'fail', 'lose answer', 'late', 'crash, late'])
        expect([...result.tried.keys()]).toContain(fault);
    },
    PATIENCE_MS,
  );
});

describe('the protocol holds where nobody reads what a dead process had begun', () => {
  test.each([
    ['one version, two processes', 'sets aside'],
    ['a store that finishes late', 'looks, then sets aside'],
  ] as const)(
    '%s: the next one %s',
    async (name, distrust) => {
      const world = () => ProtocolWorld.open({ ...scenarios[name], distrust });
      const result = await explore(world, { faults: 1, switches: 1, executions: ENOUGH });
      expect(result.violation).toBeUndefined();
      expect(result.complete).toBe(true);
    },
    PATIENCE_MS,
  );
});

describe('every known mistake is seen', () => {
  const names = Object.keys(mistakes) as (keyof typeof mistakes)[];
  test.each(names)(
    '%s',
    async (name) => {
      const [scenario, bounds, promise] = mistakes[name];
      const world = () => ProtocolWorld.open({ ...scenarios[scenario], plant: planted[name] });
      const result = await explore(world, { ...bounds, executions: ENOUGH });
      expect(result.violation?.message).toMatch(promise);
    },
    PATIENCE_MS,
  );
});
