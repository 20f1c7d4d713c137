/** What the loopback REST server does wrong. All of it can be switched while the server runs. */
export class SseFaults {
  /** Open streams fall silent: no event, no heartbeat, no end. */
  stall = false;
  /** Each stream is cut after so many events; what comes later waits for a reconnect. */
  disconnectAfter: number | undefined = undefined;
  /** Every event is sent so many times. Default 1: delivery is at least once. */
  copies = 1;
  /** How lines end, all three of which the standard allows. Default `\n`. */
  lineEnd: '\n' | '\r\n' | '\r' = '\n';
  /** What new streams are told to wait before a reconnect. Default: nothing. */
  retryMs: number | undefined = undefined;
}

export interface TooMany {
  /** Requests that still pass. */
  readonly after: number;
  /** Requests that are then answered with 429. */
  readonly count: number;
  /** Sent as `Retry-After`. Bloomberg was never seen to send one. */
  readonly retryAfterSeconds?: number;
}

/** A fault of one call, as {@link BloombergRestFaults.next} hands it out. */
export interface CallFault {
  readonly status?: number;
  readonly redirect?: string;
  readonly retryAfterSeconds?: number;
}

export class BloombergRestFaults {
  /** How far the server's clock is ahead of the injected one; negative when it is behind. */
  skewMs = 0;
  /** Every token is refused as one of an expired credential. So are all after `expiration_date`. */
  expiredCredential = false;
  /** Every call is refused as from an address that is not allowed; the OAuth host closes the connection. */
  addressNotAllowed = false;
  /** Ranges are answered with the whole content and 200 even with gzip. */
  ignoreRanges = false;
  /** `Accept-Encoding: gzip` is answered with plain content. */
  withoutGzip = false;
  /** How long after a request was posted its response is there. */
  deliverDelayMs = 0;
  /** As older servers: 404 in place of an empty listing of responses. */
  emptyIs404 = false;
  /** Listings of responses link their next page by the bare token in place of a query: which of both is right is not public. */
  bareTokens = false;
  readonly sse = new SseFaults();
  readonly #tooMany: { after: number; count: number; retryAfterSeconds?: number }[] = [];
  readonly #cuts = new Map<
    string,
    { readonly bytes: number; readonly how: CutHow; times: number }
  >();
  readonly #wrongDigests = new Set<string>();
  readonly #byPath: { path: string; fault: CallFault; times: number }[] = [];

  /** After `after` more requests the next `count` are answered with 429. */
  tooMany(storm: TooMany): void {
    this.#tooMany.push({ ...storm });
  }

  /** Cuts the connection when so many bytes of a download's body (as sent: of the gzip, of the range) are out. */
  cutAfterBytes(key: string, bytes: number, times = 1): void {
    this.#cuts.set(key, { bytes, how: 'cut', times });
  }

  /** Falls silent after so many bytes of a download's body; the connection lives on. */
  stallAfterBytes(key: string, bytes: number, times = 1): void {
    this.#cuts.set(key, { bytes, how: 'stall', times });
  }

  /** The `Digest` of this response is of other bytes, in the listing and with the download. */
  wrongDigest(key: string): void {
    this.#wrongDigests.add(key);
  }

  /** Answers the next calls of a path (as sent, without query; a `*` at the end stands for the rest) with a status. */
  status(path: string, status: number, times = 1): void {
    this.#byPath.push({ path, fault: { status }, times });
  }

  /** Answers the next calls of a path with 307 and this `Location`. */
  redirect(path: string, location: string, times = 1): void {
    this.#byPath.push({ path, fault: { redirect: location }, times });
  }

  /** As good as new. */
  reset(): void {
    const { sse, ...switches } = new BloombergRestFaults();
    Object.assign(this, switches);
    Object.assign(this.sse, sse);
    this.#tooMany.length = 0;
    this.#byPath.length = 0;
    this.#cuts.clear();
    this.#wrongDigests.clear();
  }

  /** Counts a call; the fault that it meets. For the simulator. */
  next(path: string): CallFault | undefined {
    const storm = this.#nextStorm();
    if (storm !== undefined) return storm;
    const armed = this.#byPath.find((one) => one.times > 0 && matches(one.path, path));
    if (armed === undefined) return undefined;
    armed.times--;
    return armed.fault;
  }

  /** Where this download breaks, and how. For the simulator. */
  nextCut(key: string): { readonly bytes: number; readonly how: CutHow } | undefined {
    const cut = this.#cuts.get(key);
    if (cut === undefined || cut.times <= 0) return undefined;
    cut.times--;
    return cut;
  }

  /** Whether the digest of this response is to be wrong. For the simulator. */
  digestIsWrong(key: string): boolean {
    return this.#wrongDigests.has(key);
  }

  #nextStorm(): CallFault | undefined {
    const storm = this.#tooMany.find(({ count }) => count > 0);
    if (storm === undefined) return undefined;
    if (storm.after > 0) {
      storm.after--;
      return undefined;
    }
    storm.count--;
    const { retryAfterSeconds } = storm;
    return { status: 429, ...(retryAfterSeconds !== undefined && { retryAfterSeconds }) };
  }
}

export type CutHow = 'cut' | 'stall';

function matches(pattern: string, path: string): boolean {
  return pattern.endsWith('*') ? path.startsWith(pattern.slice(0, -1)) : path === pattern;
}
