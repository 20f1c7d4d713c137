/** Faults on order: which call of which operation goes wrong, and how. */

export type S3Operation =
  | 'AbortMultipartUpload'
  | 'CompleteMultipartUpload'
  | 'CreateBucket'
  | 'CreateMultipartUpload'
  | 'DeleteObject'
  | 'GetObject'
  | 'GetObjectTagging'
  | 'HeadBucket'
  | 'HeadObject'
  | 'ListBuckets'
  | 'ListMultipartUploads'
  | 'ListObjectsV2'
  | 'ListParts'
  | 'PutObject'
  | 'PutObjectTagging'
  | 'UploadPart';

export type S3Fault =
  /** Answers with an error; nothing is applied. */
  | {
      readonly do: 'fail';
      readonly status: number;
      readonly code: string;
      readonly message?: string;
      readonly retryAfterSeconds?: number;
    }
  /** Answers 200 with an error in the body, as S3 may on Complete; `applied` when it did the work all the same. */
  | { readonly do: 'fail-in-200'; readonly code: string; readonly applied?: boolean }
  /** Cuts the connection; with `applied` the work is done first, so that only the answer is lost. */
  | { readonly do: 'drop'; readonly applied: boolean }
  /** Keeps the connection and never answers. */
  | { readonly do: 'hang'; readonly applied: boolean }
  /** Waits, then does the work and answers. */
  | { readonly do: 'hold'; readonly until: Promise<unknown> }
  /** Cuts the connection at once, and does the work later all the same. */
  | { readonly do: 'apply-late'; readonly until: Promise<unknown> }
  /**
   * CompleteMultipartUpload only: accepts the request, and the object appears when released — even when the upload was
   * aborted meanwhile. With `drop` the connection is cut at once.
   */
  | { readonly do: 'assemble'; readonly until: Promise<unknown>; readonly drop?: boolean };

export interface S3FaultRule {
  readonly operation: S3Operation;
  /** The first call that is hit, counted from now. Default 1. */
  readonly nth?: number;
  /** How many calls are hit from there on. Default 1. */
  readonly times?: number;
  /** Only calls for keys for which this is true are counted. */
  readonly forKey?: (key: string) => boolean;
  readonly fault: S3Fault;
}

/** A rule in force. */
export interface ArmedS3Fault {
  /** Calls that were hit so far. */
  readonly hits: number;
  /** Resolves when the first call is hit. */
  readonly hit: Promise<void>;
  remove(): void;
}

export class S3Faults {
  readonly #armed: { rule: S3FaultRule; calls: number; hits: number; announce: () => void }[] = [];

  /** Puts a rule into force. Of several that match, the oldest is used. */
  add(rule: S3FaultRule): ArmedS3Fault {
    const { promise, resolve } = Promise.withResolvers<void>();
    const entry = { rule, calls: 0, hits: 0, announce: resolve };
    this.#armed.push(entry);
    const armed = this.#armed;
    return {
      hit: promise,
      get hits() {
        return entry.hits;
      },
      remove() {
        const at = armed.indexOf(entry);
        if (at >= 0) armed.splice(at, 1);
      },
    };
  }

  clear(): void {
    this.#armed.length = 0;
  }

  /** Counts a call; the fault it shall meet. For the simulator. */
  next(operation: S3Operation, key: string): S3Fault | undefined {
    let met: S3Fault | undefined;
    for (const entry of this.#armed) {
      const { rule } = entry;
      if (rule.operation !== operation || rule.forKey?.(key) === false) continue;
      entry.calls += 1;
      const first = rule.nth ?? 1;
      if (met !== undefined || entry.calls < first || entry.calls >= first + (rule.times ?? 1))
        continue;
      entry.hits += 1;
      entry.announce();
      met = rule.fault;
    }
    return met;
  }
}
