/** Where the module lies that serves a folder over SFTP as a process of its own; see `serve.ts`. */
const besides = import.meta.url.endsWith('.ts') ? './serve.ts' : './serve.js';

/** For `spawn(process.execPath, [fileURLToPath(SFTP_SERVE_MODULE), JSON.stringify({ root })])`. */
export const SFTP_SERVE_MODULE = new URL(besides, import.meta.url);
