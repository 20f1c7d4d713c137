import type { WebhookConfig } from '../manifest/manifest.ts';
import { Secret } from '../observe/secret.ts';

/** Who is told, as the host holds it: its address may hold a secret of its own. */
export interface Webhook extends Omit<WebhookConfig, 'url' | 'secret'> {
  readonly url: Secret;
  readonly secret: Secret;
}

export function webhookOf({ url, secret, ...rest }: WebhookConfig): Webhook {
  return { ...rest, url: new Secret(url), secret: new Secret(secret) };
}
