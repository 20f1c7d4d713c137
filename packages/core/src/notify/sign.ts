import { createHmac } from 'node:crypto';

export interface Message {
  /** The same for every try: who gets it twice knows it by this. */
  readonly id: string;
  readonly body: string;
}

/**
 * The headers of a signed message, as Standard Webhooks say (github.com/standard-webhooks): HMAC-SHA-256 over id, time and
 * body, so that none of them can be changed, and an old message cannot be sent again later.
 */
export function signedHeaders(
  { id, body }: Message,
  secret: string,
  nowMs: number,
): Readonly<Record<string, string>> {
  const timestamp = String(Math.floor(nowMs / 1000));
  const signature = createHmac('sha256', keyOf(secret))
    .update(`${id}.${timestamp}.${body}`)
    .digest('base64');
  return {
    'webhook-id': id,
    'webhook-timestamp': timestamp,
    'webhook-signature': `v1,${signature}`,
  };
}

/** `whsec_` and base64, as the standard writes it; any other text is the key itself. */
function keyOf(secret: string): Buffer {
  const [, base64] = /^whsec_([A-Za-z0-9+/]+=*)$/.exec(secret) ?? [];
  return base64 === undefined ? Buffer.from(secret) : Buffer.from(base64, 'base64');
}
