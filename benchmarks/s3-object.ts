/** What a contender leaves at the S3 endpoint. */
import type { Contender } from './case.ts';
import { S3_ENV } from './s3-clients.ts';

/** A peer that makes one object. `argv` is given the key to make it under, in the bucket `bench`. */
export function intoObject(
  endpoint: string,
  name: string,
  bytes: number,
  argv: (key: string) => readonly string[],
  env: Readonly<Record<string, string>> = {},
): Contender {
  return {
    name,
    async task(round) {
      const key = `peer/round-${round}`;
      return {
        argv: argv(key),
        env: { ...S3_ENV, ...env },
        check: () => checkObject(endpoint, key, bytes),
        tidy: () => removeObject(endpoint, key),
      };
    },
  };
}

/** @throws Error when the object is not there or not that long */
export async function checkObject(endpoint: string, key: string, bytes: number): Promise<void> {
  const answer = await fetch(`${endpoint}/bench/${key}`, { method: 'HEAD' });
  const found = Number(answer.headers.get('content-length') ?? Number.NaN);
  if (answer.ok && found === bytes) return;
  throw new Error(`${key} at the S3 endpoint: HTTP ${answer.status}, ${found} of ${bytes} bytes`);
}

export async function removeObject(endpoint: string, key: string): Promise<void> {
  await fetch(`${endpoint}/bench/${key}`, { method: 'DELETE' });
}
