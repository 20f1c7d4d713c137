import { describe, expect, test } from 'vitest';
import { explore } from '../test/pipeline/explore/explore.ts';
import { ProtocolWorld, type Scenario } from '../test/pipeline/explore/protocol-world.ts';
import { scenarios } from '../test/pipeline/explore/scenarios.ts';

/** How many executions a scenario may take; `OCTO_EXPLORE=1000000` for a whole night. */
const executions = Number(process.env['OCTO_EXPLORE'] ?? 1000);

describe('the protocol, one fault and one change of turns, to the end', () => {
  const twins = ['the same content at two paths', 'the same small content twice'] as const;
  test.each(twins)(
    '%s',
    async (name) => {
      const bounds = { faults: 1, switches: 1, executions: 20_000 };
      const result = await explore(() => ProtocolWorld.open(scenarios[name]), bounds);
      expect(result.violation).toBeUndefined();
      expect(result.complete).toBe(true);
    },
    3_600_000,
  );
});

describe('the protocol where nobody reads what a dead process had begun, to the end', () => {
  test.each([
    ['one version, two processes', 'looks, then sets aside'],
    ['one small version, two processes', 'sets aside'],
    ['a store that finishes late', 'sets aside'],
  ] as const)(
    '%s: the next one %s',
    async (name, distrust) => {
      const world = () => ProtocolWorld.open({ ...scenarios[name], distrust });
      const result = await explore(world, { faults: 1, switches: 1, executions: 20_000 });
      expect(result.violation).toBeUndefined();
      expect(result.complete).toBe(true);
    },
    3_600_000,
  );
});

describe('the protocol, two faults and two switches deep', () => {
  test.each(Object.entries<Scenario>(scenarios))(
    '%s',
    async (name, scenario) => {
      const bounds = { faults: 2, switches: 2, executions };
      const result = await explore(() => ProtocolWorld.open(scenario), bounds);
      const extent = result.complete ? 'all' : 'the first';
      console.info(`${name}: ${extent} ${result.executions} executions, ${result.steps} steps`);
      expect(result.violation).toBeUndefined();
    },
    24 * 3_600_000,
  );
});
