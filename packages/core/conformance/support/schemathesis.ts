import { spawnSync } from 'node:child_process';

/** The program: of the search path, or the one that OCTO_SCHEMATHESIS names. */
export const schemathesis = process.env['OCTO_SCHEMATHESIS'] ?? 'schemathesis';

/** Why nothing can be tried with schemathesis here, with how to get it; `undefined` when it is there. */
export function schemathesisMissing(): string | undefined {
  const { error, stdout } = spawnSync(schemathesis, ['--version'], { encoding: 'utf8' });
  if (error === undefined && /version 4\./.test(stdout)) return undefined;
  return 'there is no schemathesis 4: python3 -m venv venv && venv/bin/pip install schemathesis, then OCTO_SCHEMATHESIS=venv/bin/schemathesis';
}
