/** Where the module lies that runs the loopback Bloomberg as a process of its own; see `serve.ts`. */
const besides = import.meta.url.endsWith('.ts') ? './serve.ts' : './serve.js';

/** For `spawn(process.execPath, [fileURLToPath(BLOOMBERG_SERVE_MODULE), JSON.stringify({ rest: {}, sftp: {} })])`. */
export const BLOOMBERG_SERVE_MODULE = new URL(besides, import.meta.url);
