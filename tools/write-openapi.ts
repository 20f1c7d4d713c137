// Writes packages/core/schema/openapi.json anew. Run after a change to a route: node --conditions=octo-source tools/write-openapi.ts
import { writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { openapiText } from '../packages/core/src/api/openapi-text.ts';

const file = join(dirname(import.meta.dirname), 'packages/core/schema/openapi.json');
writeFileSync(file, await openapiText());
