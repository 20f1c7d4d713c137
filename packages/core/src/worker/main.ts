/** The program that runs in a worker: plugins live here, and nothing of the host's. It is told everything through file 3. */
import { Socket } from 'node:net';
import { systemClock } from '../host/system-clock.ts';
import { Frames } from '../wire/frames.ts';
import { closeDoors } from './closed-doors.ts';
import { WorkerProgram } from './worker-program.ts';

const CHANNEL_FD = 3;
/** What the host says is believed; a manifest may be long. */
const LONGEST_FRAME = 256 * 1024 * 1024;

closeDoors();
const stream = new Socket({ fd: CHANNEL_FD, readable: true, writable: true });
const frames = new Frames(stream, LONGEST_FRAME);
const program = new WorkerProgram(frames, systemClock, Math.random);
// What a plugin said before it left is worth most.
process.on('exit', () => frames.flush());
process.on('uncaughtException', (error) => program.fail(error));
// The host has gone, or has said goodbye: whatever is open here belongs to nobody any more.
program.ended.then(
  () => process.exit(0),
  () => process.exit(1),
);
