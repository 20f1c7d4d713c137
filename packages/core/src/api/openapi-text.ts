import { noAudit } from '../audit/audit-trail.ts';
import { Metrics } from '../observe/metrics.ts';
import { APP_DEFAULTS, buildApp } from './build-app.ts';
import type { ApiParts } from './parts.ts';

/** The OpenAPI document of this version, as `schema/openapi.json` has it. Needs no host: no route is called. */
export async function openapiText(): Promise<string> {
  const nobody = { host: { redact: (text: string) => text }, audit: noAudit, auth: {} };
  // What a handler would need is not there, and no handler is called.
  const parts = { ...nobody, metrics: new Metrics() } as unknown as ApiParts;
  const app = await buildApp(parts, APP_DEFAULTS);
  try {
    return `${JSON.stringify(app.swagger(), null, 2)}\n`;
  } finally {
    await app.close();
  }
}
