/**
 * `delay-proxy.ts <port> <round trip in ms>`: passes TCP on to a port of loopback, half a round trip late in either
 * direction. It models latency, and not loss or a narrow line.
 */
import { connect, createServer, type AddressInfo, type Socket } from 'node:net';
import { performance } from 'node:perf_hooks';

const [target = '0', roundTrip = '0'] = process.argv.slice(2);
const delayMs = Number(roundTrip) / 2;
/** As much as a line of 5 Gbit/s holds in 100 ms. */
const MOST_BYTES = 64 * 2 ** 20;

const server = createServer({ noDelay: true }, (near) => {
  const far = connect({ port: Number(target), host: '127.0.0.1', noDelay: true });
  passOn(near, far);
  passOn(far, near);
});
server.listen(0, '127.0.0.1', () => {
  process.stdout.write(`${(server.address() as AddressInfo).port}\n`);
});
process.stdin.resume().once('end', () => process.exit(0));

function passOn(from: Socket, to: Socket): void {
  const waiting: { readonly dueMs: number; readonly chunk: Buffer | undefined }[] = [];
  let bytes = 0;
  let timer: NodeJS.Timeout | NodeJS.Immediate | undefined;
  const deliver = (): void => {
    timer = undefined;
    const now = performance.now();
    to.cork();
    while (waiting[0] !== undefined && waiting[0].dueMs <= now && !to.writableNeedDrain) {
      const { chunk } = waiting.shift() as (typeof waiting)[number];
      bytes -= chunk?.length ?? 0;
      if (chunk === undefined) to.end();
      else to.write(chunk);
    }
    to.uncork();
    if (bytes < MOST_BYTES && from.isPaused()) from.resume();
    schedule();
  };
  const schedule = (): void => {
    const [first] = waiting;
    if (first === undefined || timer !== undefined) return;
    if (to.writableNeedDrain) return;
    const inMs = first.dueMs - performance.now();
    // A timer takes a millisecond at least, which for every piece would make the line a narrow one.
    if (inMs <= 0) timer = setImmediate(deliver);
    else timer = setTimeout(deliver, inMs);
  };
  const take = (chunk: Buffer | undefined): void => {
    waiting.push({ dueMs: performance.now() + delayMs, chunk });
    bytes += chunk?.length ?? 0;
    if (bytes >= MOST_BYTES) from.pause();
    schedule();
  };
  to.on('drain', schedule);
  from.on('data', take).on('end', () => take(undefined));
  from.on('error', () => to.destroy()).on('close', () => from.destroyed && to.destroySoon());
}
