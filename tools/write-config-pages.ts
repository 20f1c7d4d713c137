// Writes docs/config/ anew. Run after a change to a schema: node --conditions=octo-source tools/write-config-pages.ts
import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { configPages } from './config-pages.ts';

const root = dirname(import.meta.dirname);
const folder = join(root, 'docs/config');
const pages = await configPages(root);
rmSync(folder, { recursive: true, force: true });
mkdirSync(folder, { recursive: true });
for (const [name, text] of pages) writeFileSync(join(folder, name), text);
