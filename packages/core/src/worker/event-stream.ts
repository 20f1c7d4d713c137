import type { Clock } from '@octo/plugin-api';
import type { RunEvent } from '../pipeline/run-report.ts';

/** As often as the host writes down what happens in a run. */
const PAUSE_MS = 250;

/** The events of a run for another process: in order, but bytes that were read are gathered for a while. */
export class EventStream {
  readonly #tell: (event: RunEvent) => void;
  readonly #clock: Clock;
  readonly #read = new Map<string, number>();
  #toldMs = 0;

  constructor(tell: (event: RunEvent) => void, clock: Clock) {
    this.#tell = tell;
    this.#clock = clock;
  }

  readonly add = (event: RunEvent): void => {
    if (event.event !== 'read') {
      this.flush();
      this.#tell(event);
      return;
    }
    this.#read.set(event.path, (this.#read.get(event.path) ?? 0) + event.bytes);
    if (this.#clock.monotonic() - this.#toldMs >= PAUSE_MS) this.flush();
  };

  /** Tells what was gathered. */
  flush(): void {
    for (const [path, bytes] of this.#read) this.#tell({ event: 'read', path, bytes });
    this.#read.clear();
    this.#toldMs = this.#clock.monotonic();
  }
}
