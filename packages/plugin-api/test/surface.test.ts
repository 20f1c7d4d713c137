import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import * as contract from '../src/index.ts';

/**
 * Everything that third parties may import. Whoever changes a list here changes what is promised to every plugin:
 * adding is a minor version, removing or renaming a new CONTRACT_VERSION.
 */
const VALUES = [
  'CLOCK',
  'CONTRACT_VERSION',
  'LOGGER',
  'PluginError',
  'RATE_LIMIT',
  'STATE_FOLDER',
  'SYNC_TO_DISK',
  'definePlugin',
  'isPluginDefinition',
  'isPluginError',
];
const TYPES = [
  'Clock',
  'CommitAnswer',
  'ConfigOf',
  'ConfigSchema',
  'Decoding',
  'DeliveredFile',
  'Diagnosis',
  'Done',
  'Given',
  'Inspection',
  'InspectionResult',
  'Kind',
  'Kinds',
  'Lifecycle',
  'Logger',
  'ObjectToStage',
  'PluginContext',
  'PluginDefinition',
  'PluginErrorOptions',
  'PluginErrorType',
  'PluginSpec',
  'Proof',
  'Provider',
  'RateLimit',
  'RemoteFile',
  'SecretStore',
  'Session',
  'Sink',
  'Staged',
  'SyncToDisk',
  'TableRow',
  'Tabulation',
  'Token',
  'Upload',
  'VisibleObject',
  'Wanted',
];

/** The names that an index file exports, told apart by whether they exist at run time. */
function exportedNames(text: string): { values: string[]; types: string[] } {
  const values: string[] = [];
  const types: string[] = [];
  for (const [, all, names = ''] of text.matchAll(/^export\s+(type\s+)?\{([^}]*)\}/gm)) {
    for (const name of names.split(',').map((one) => one.trim())) {
      const known = /^(type\s+)?(?:\w+\s+as\s+)?(\w+)$/.exec(name);
      if (known?.[2] === undefined) continue;
      (all !== undefined || known[1] !== undefined ? types : values).push(known[2]);
    }
  }
  return { values: values.toSorted(), types: types.toSorted() };
}

const index = readFileSync(join(import.meta.dirname, '../src/index.ts'), 'utf8');

test('the contract exports these names and no others', () => {
  expect(exportedNames(index)).toEqual({ values: VALUES, types: TYPES });
});

test('the values are there at run time', () => {
  expect(Object.keys(contract).toSorted()).toEqual(VALUES);
});

test('every line of the index is an export that this test can read', () => {
  const rest = index.replaceAll(/export\s+(type\s+)?\{[^}]*\}\s*from\s*'\.\/[a-z-]+\.ts';/g, '');
  expect(rest.trim()).toBe('');
});

test('the contract and its tokens are those of version 1', () => {
  expect(contract.CONTRACT_VERSION).toBe(1);
  expect([contract.CLOCK.id, contract.LOGGER.id, contract.STATE_FOLDER.id]).toEqual([
    'octo:clock@1',
    'octo:logger@1',
    'octo:state-folder@1',
  ]);
});

test('a plugin needs nothing else: the package depends on nothing', () => {
  const manifest = JSON.parse(
    readFileSync(join(import.meta.dirname, '../package.json'), 'utf8'),
  ) as Readonly<Record<string, unknown>>;
  const kinds = ['dependencies', 'peerDependencies', 'optionalDependencies'];
  expect(kinds.filter((kind) => manifest[kind] !== undefined)).toEqual([]);
});

test('a name that is added or gone is noticed', () => {
  const names = exportedNames(
    `export { a, type B } from './x.ts';\nexport type { C,\n  D } from './y.ts';`,
  );
  expect(names).toEqual({ values: ['a'], types: ['B', 'C', 'D'] });
});
