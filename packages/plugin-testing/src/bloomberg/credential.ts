/** The credential file that console.bloomberg.com hands out once, with values that are good on loopback only. */
export interface BloombergCredential {
  readonly client_id: string;
  /** 64 hexadecimal characters: the key of the tokens is the 32 bytes they stand for. */
  readonly client_secret: string;
  readonly name: string;
  readonly scopes: readonly string[];
  /** Milliseconds since the epoch. */
  readonly created_date: number;
  /** Milliseconds since the epoch. */
  readonly expiration_date: number;
}

/** Made yesterday, good for eighteen months less a day, as the real ones. */
export function testCredential(nowMs: number): BloombergCredential {
  const createdMs = nowMs - DAY_MS;
  return {
    client_id: '0123456789abcdef0123456789abcdef',
    client_secret: '6f63746f2d6c6f6f706261636b2d73696d756c61746f722d7365637265742121',
    name: 'octo loopback',
    scopes: ['dlrest-high-rate-limit'],
    created_date: createdMs,
    expiration_date: createdMs + 548 * DAY_MS,
  };
}

const DAY_MS = 24 * 60 * 60 * 1000;
