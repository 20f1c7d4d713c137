/** Where the module lies that runs the simulator as a process of its own; see `serve.ts` for its options. */
const besides = import.meta.url.endsWith('.ts') ? './serve.ts' : './serve.js';

/** For `spawn(process.execPath, [fileURLToPath(S3_SERVE_MODULE), '--bucket', 'lake', '--with-parent'])`. */
export const S3_SERVE_MODULE = new URL(besides, import.meta.url);
