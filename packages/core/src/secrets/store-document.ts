import { createHmac, hkdfSync, randomUUID, timingSafeEqual } from 'node:crypto';
import { isGrant, isSecretName, valueProblem, type SecretEntry } from './secret-entry.ts';

/** What is in the sealed file. */
export interface StoreDocument {
  /** Says which store this is, so that a code of one proves nothing in another. Random. */
  readonly store: string;
  /** Rises with each change. */
  readonly revision: number;
  /** By name. */
  readonly entries: readonly SecretEntry[];
}

/** A key that may vouch for a document. */
export interface Voucher {
  /** `AGE-SECRET-KEY-1…`. */
  readonly identity: string;
  /** `age1…`. */
  readonly recipient: string;
}

/** The contents are not such that they were written with this key. The message says why, without any of them. */
export class NotVouchedFor extends Error {}

/** A newer Octo wrote it. */
export class NewerFormat extends Error {}

const FORMAT = 1;
const PURPOSE = 'octo secrets mac v1';

/** A store without secrets. */
export function emptyDocument(): StoreDocument {
  return { store: randomUUID(), revision: 1, entries: [] };
}

/**
 * The document as JSON with a code (HMAC-SHA-256) of each key over all of it. Sealing alone proves nothing: whoever knows
 * the public half of a key can seal what they like.
 */
export function documentText(document: StoreDocument, keys: readonly Voucher[]): string {
  const { store, revision, entries } = document;
  const macs = keys.map(({ identity, recipient }) => ({
    key: recipient,
    mac: macOf(document, identity).toString('hex'),
  }));
  return `${JSON.stringify({ format: FORMAT, store, revision, entries, macs }, undefined, 2)}\n`;
}

/** @throws NewerFormat, NotVouchedFor */
export function readDocument(text: string, key: Voucher): StoreDocument & { macs: string[] } {
  const found = parsed(text);
  const { store, revision, macs } = found;
  const entries = isList(found.entries) ? found.entries.map(entryOf) : undefined;
  if (typeof store !== 'string' || typeof revision !== 'number' || !entries || !isList(macs))
    throw new NotVouchedFor('what is in it is no secret store');
  const document = { store, revision, entries };
  const codes = macs.map(macEntry);
  const own = codes.find((code) => code.key === key.recipient)?.mac ?? '';
  if (!sameCode(macOf(document, key.identity), Buffer.from(own, 'hex')))
    throw new NotVouchedFor('its contents do not come from whoever has the master key');
  return { ...document, macs: codes.map((code) => code.key) };
}

type Loose = Readonly<Record<string, unknown>>;

function parsed(text: string): Loose {
  let found: unknown;
  try {
    found = JSON.parse(text);
  } catch {
    // Without the cause: V8's message quotes the text.
    throw new NotVouchedFor('what is in it is no JSON');
  }
  const { format } = loose(found);
  if (typeof format === 'number' && format > FORMAT) throw new NewerFormat(`format ${format}`);
  if (format !== FORMAT) throw new NotVouchedFor('what is in it is no secret store');
  return loose(found);
}

function entryOf(found: unknown): SecretEntry {
  const { name, value, grants, created, changed } = loose(found);
  const good =
    typeof name === 'string' &&
    isSecretName(name) &&
    typeof value === 'string' &&
    valueProblem(value) === undefined &&
    isList(grants) &&
    grants.every((one): one is string => typeof one === 'string' && isGrant(one)) &&
    typeof created === 'string' &&
    typeof changed === 'string';
  if (good) return { name, value, grants, created, changed };
  throw new NotVouchedFor('one of its secrets is not such as Octo writes it');
}

function macEntry(found: unknown): { readonly key: string; readonly mac: string } {
  const { key, mac } = loose(found);
  return { key: String(key), mac: String(mac) };
}

/** Over one spelling of the contents, so that their place in the JSON does not matter. */
function macOf({ store, revision, entries }: StoreDocument, identity: string): Buffer {
  const rows = entries.map(({ name, value, grants, created, changed }) => [
    name,
    value,
    grants,
    created,
    changed,
  ]);
  const key = hkdfSync('sha256', identity, store, PURPOSE, 32);
  const body = JSON.stringify([FORMAT, store, revision, rows]);
  return createHmac('sha256', Buffer.from(key)).update(body, 'utf8').digest();
}

function sameCode(a: Buffer, b: Buffer): boolean {
  return a.length === b.length && timingSafeEqual(a, b);
}

function loose(value: unknown): Loose {
  return typeof value === 'object' && value !== null ? (value as Loose) : {};
}

function isList(value: unknown): value is readonly unknown[] {
  return Array.isArray(value);
}
