import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { expect, test } from 'vitest';
import type { AuditReader } from '../src/api/audit-reader.ts';
import { openSite } from '../test/api/site.ts';
import { schemathesis, schemathesisMissing } from './support/schemathesis.ts';

const missing = schemathesisMissing();
if (missing !== undefined) console.warn(`the API against schemathesis: not run, ${missing}`);

/** What must hold for every request that the document allows, and for every one that it does not. */
const CHECKS = [
  'not_a_server_error',
  'status_code_conformance',
  'content_type_conformance',
  'response_headers_conformance',
  'response_schema_conformance',
  'unsupported_method',
];
/** Streams do not end, which is their purpose: schemathesis would wait for each. */
const STREAMS = '^/v1/runs/\\{id\\}/events$';
/** Without one the route for the audit answers 501, as it should. */
const auditReader: AuditReader = { read: async () => ({ records: [] }) };
/** What is asked for is the same in every run, so that a finding can be found again. */
const SEED = '20261128';

test.skipIf(missing !== undefined)(
  'a client that tries everything finds no server error and no answer that is not in the document',
  async () => {
    await using site = await openSite({ requestsPerSecond: 1_000_000 }, { auditReader });
    const { authorization } = await site.headers('admin');
    const home = await mkdtemp(join(tmpdir(), 'octo-schemathesis-'));
    try {
      const { code, output } = await run(home, [
        'run',
        `${site.url}/v1/openapi.json`,
        `--header=authorization: ${authorization}`,
        `--checks=${CHECKS.join(',')}`,
        `--exclude-path-regex=${STREAMS}`,
        '--phases=examples,coverage,fuzzing',
        '--max-examples=15',
        `--seed=${SEED}`,
        '--suppress-health-check=all',
        '--no-color',
      ]);
      expect({ code, output: code === 0 ? '' : output }).toEqual({ code: 0, output: '' });
      expect(output).toMatch(/\d{3,} generated|Test cases/);
    } finally {
      await rm(home, { recursive: true, force: true });
    }
  },
  120_000,
);

async function run(
  cwd: string,
  args: readonly string[],
): Promise<{ code: unknown; output: string }> {
  const child = spawn(schemathesis, args, { cwd, stdio: ['ignore', 'pipe', 'pipe'] });
  const ended = once(child, 'close');
  const [out, err] = await Promise.all([text(child.stdout), text(child.stderr)]);
  const [code] = (await ended) as [unknown];
  return { code, output: `${out}${err}` };
}
