// `npm start`: brings up the demo's vendor and runs the host on the root plugins.json. Arguments go to the host.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { constants } from 'node:os';
import { fileURLToPath } from 'node:url';
import { startVendor, vendorRuns } from './vendor.mjs';

const root = fileURLToPath(new URL('../..', import.meta.url));
const folder = fileURLToPath(new URL('../../.octo-demo', import.meta.url));
const octoHost = fileURLToPath(new URL('../../packages/core/bin/octo-host.mjs', import.meta.url));

// A second start leaves the vendor to the first; the host will say who that is.
const vendor = (await vendorRuns(folder)) ? undefined : await startVendor(folder, { onReissue });
if (vendor !== undefined) welcome(vendor);
process.exitCode = await runHost();
await vendor?.[Symbol.asyncDispose]();

async function runHost() {
  const host = spawn(process.execPath, [octoHost, 'start', ...process.argv.slice(2)], {
    cwd: root,
    stdio: 'inherit',
    // For people, also where this is not a terminal; what the host recommends can be copied as it is.
    env: { OCTO_LOG_FORMAT: 'text', OCTO_HOST_COMMAND: 'npm run octo-host --', ...process.env },
    // Ctrl-C reaches every process of the terminal, and we pass it on as well. The host must get it once.
    detached: true,
  });
  const passOn = forwarder(host);
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(signal, passOn);
  // Whoever started us may be killed without a word; then nobody could stop the host any more.
  const parent = process.ppid;
  setInterval(() => process.ppid === parent || passOn('SIGTERM'), 500).unref();
  const [code, signal] = await once(host, 'exit');
  return code ?? 128 + constants.signals[signal];
}

/** Passes signals on; what comes within a second of the last one is the same wish by another way. */
function forwarder(host) {
  let lastMs = -Infinity;
  return (signal) => {
    const nowMs = performance.now();
    if (nowMs - lastMs > 1_000) host.kill(signal);
    lastMs = nowMs;
  };
}

function welcome({ bloombergUrl, port, outbound }) {
  say(
    `a vendor publishes settlement files over SFTP on 127.0.0.1:${port}; they lie in ${shown(outbound)}`,
  );
  say(`another answers price requests over REST at ${bloombergUrl}`);
  say('what Octo delivers appears in delivered/; each refused file is named with its reason');
  say('in another terminal: npm run octo-host -- files      what happened to every file');
  say('                     npm run octo-host -- check      is everything reachable?');
  say('then change plugins.json: "to": "lake" delivers into S3. Ctrl-C stops.');
}

function onReissue(name) {
  say(`the vendor has corrected ${name} and issues it again`);
}

function shown(path) {
  return path.startsWith(root) ? path.slice(root.length) : path;
}

function say(line) {
  console.error(`demo: ${line}`);
}
