import { escapeText } from '../observe/escape-text.ts';
import type { RunEvent } from '../pipeline/run-report.ts';
import type { Environment } from './environment.ts';
import { formatBytes } from './format-bytes.ts';
import { formatDuration } from './format-duration.ts';
import { TransferRate } from '../observe/transfer-rate.ts';
import { fitText } from './text-width.ts';

/** Back to the first column, and clear to the end of the line. ECMA-48 CR, EL. */
const clearLine = '\r\u001B[K';
const redrawMs = 100;

/**
 * The last line of a terminal while a run goes on: files, bytes, rate, time left, and what is being read. It redraws
 * itself at most ten times a second, and once a second when nothing happens, so that a standstill shows.
 */
export class ProgressLine implements AsyncDisposable {
  readonly #environment: Pick<Environment, 'stderr' | 'clock'>;
  readonly #rate: TransferRate;
  readonly #reading = new Set<string>();
  readonly #stop = new AbortController();
  readonly #ticking: Promise<void>;
  #total: { readonly files: number; readonly bytes: number } | undefined;
  #filesDone = 0;
  #bytesRead = 0;
  #drawnAt = Number.NEGATIVE_INFINITY;
  #visible = false;

  constructor(environment: Pick<Environment, 'stderr' | 'clock'>) {
    this.#environment = environment;
    this.#rate = new TransferRate(environment.clock);
    this.#ticking = this.#tick();
  }

  show(event: RunEvent): void {
    this.#take(event);
    const now = this.#environment.clock.monotonic();
    if (now - this.#drawnAt >= redrawMs) this.#draw();
  }

  /** Takes the line away, for others to write; the next event draws it again. */
  hide(): void {
    if (this.#visible) this.#environment.stderr.write(clearLine);
    this.#visible = false;
    this.#drawnAt = Number.NEGATIVE_INFINITY;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#stop.abort();
    await this.#ticking;
    this.hide();
  }

  #take(event: RunEvent): void {
    switch (event.event) {
      case 'listed':
        // A run may look twice: what is done already is not to deliver any more.
        this.#total = {
          files: this.#filesDone + event.toDeliver,
          bytes: this.#bytesRead + event.bytes,
        };
        break;
      case 'started':
        this.#reading.add(event.path);
        break;
      case 'read':
        this.#bytesRead += event.bytes;
        this.#rate.add(event.bytes);
        break;
      case 'delivered':
      case 'duplicate':
      case 'quarantined':
      case 'failed':
        if (this.#reading.delete(event.path)) this.#filesDone++;
        break;
    }
  }

  #draw(): void {
    const { stderr, clock } = this.#environment;
    // One column stays free: a full line makes some terminals wrap.
    stderr.write(clearLine + fitText(this.#text(), stderr.columns - 1));
    this.#visible = true;
    this.#drawnAt = clock.monotonic();
  }

  #text(): string {
    if (this.#total === undefined) return 'connecting …';
    const { files } = this.#total;
    const rate = this.#rate.bytesPerSecond();
    const parts = [
      `${this.#filesDone}/${files} files`,
      formatBytes(this.#bytesRead),
      `${formatBytes(rate)}/s`,
      ...this.#timeLeft(rate),
      ...this.#current(),
    ];
    return parts.join(' · ');
  }

  #timeLeft(rate: number): string[] {
    const left = (this.#total?.bytes ?? 0) - this.#bytesRead;
    if (left <= 0 || this.#filesDone === this.#total?.files) return [];
    if (rate === 0) return ['no bytes at the moment'];
    return [`${formatDuration((left / rate) * 1000)} left`];
  }

  #current(): string[] {
    const [first, ...others] = this.#reading;
    if (first === undefined) return [];
    return [escapeText(first) + (others.length > 0 ? ` and ${others.length} more` : '')];
  }

  async #tick(): Promise<void> {
    const { signal } = this.#stop;
    try {
      while (!signal.aborted) {
        await this.#environment.clock.sleep(1000, signal);
        this.#draw();
      }
    } catch (error) {
      if (!signal.aborted) throw error;
    }
  }
}
