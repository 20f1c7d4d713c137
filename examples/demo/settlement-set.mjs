// What the demo's vendor publishes: three merchants, a few days, every way of packing, and what goes wrong in real life.
// Always the same; only the OpenPGP messages are made anew for each fresh `.octo-demo`.
import { gzipSync } from 'node:zlib';
import {
  correctedDay,
  encryptedMessage,
  receivingKey,
  settlementDay,
  tamperedAt,
} from '@octo/plugin-testing';

/**
 * @typedef {object} Publication
 * @property {string} name
 * @property {Uint8Array} bytes
 * @property {Date} mtime in the past, so that the files count as complete at once
 */

/** @returns {Promise<Publication[]>} everything that lies there from the beginning */
export async function settlementSet() {
  const northwind = day('northwind', '2026-01-15', 120);
  const weekend = day('northwind', '2026-01-19', 150);
  const quiet = day('bluebird', '2026-01-16', 0);
  const harbor = day('harbor-and-pine', '2026-01-15', 60);
  const harborNext = day('harbor-and-pine', '2026-01-16', 60);
  const sealedNext = await packed(harborNext.details, harborNext.date, 'gz', 'pgp');
  return [
    // A pair that reconciles.
    await packed(northwind.details, northwind.date, 'pgp'),
    await packed(northwind.summary, northwind.date, 'pgp'),
    // Monday's pair covers three days; the details are compressed first.
    await packed(weekend.details, weekend.date, 'gz', 'pgp'),
    await packed(weekend.summary, weekend.date, 'pgp'),
    // The summary is right, the details are not: they will be issued again.
    await packed(bluebird().details, bluebird().date, 'gz', 'pgp'),
    await packed(correctedDay(bluebird()).summary, bluebird().date, 'pgp'),
    // A day without activity is nothing but a header. Somebody forgot to encrypt its summary.
    await packed(quiet.details, quiet.date, 'pgp'),
    await packed(quiet.summary, quiet.date),
    // The same in ASCII armor.
    await packed(harbor.details, harbor.date, 'gz', 'asc'),
    await packed(harbor.summary, harbor.date, 'asc'),
    // One bit of this one was turned over on its way.
    { ...sealedNext, bytes: tamperedAt(sealedNext.bytes, sealedNext.bytes.length >> 1) },
  ];
}

/** The details that the vendor corrects a few seconds after they were fetched: same name, another content and time. */
export async function reissue() {
  const { date } = bluebird();
  const again = await packed(correctedDay(bluebird()).details, date, 'gz', 'pgp');
  return { ...again, mtime: new Date(again.mtime.getTime() + 3_600_000) };
}

function bluebird() {
  return day('bluebird', '2026-01-15', 90);
}

function day(merchant, date, orders) {
  return { ...settlementDay({ merchant, date, orders, seed: 'octo demo' }), date };
}

/** @returns {Promise<Publication>} */
async function packed({ name, text }, date, ...packings) {
  let bytes = Buffer.from(text);
  for (const packing of packings) bytes = await PACKINGS[packing](bytes);
  return { name: [name, ...packings].join('.'), bytes, mtime: published(date) };
}

const PACKINGS = {
  gz: async (bytes) => gzipSync(bytes),
  pgp: (bytes) => encryptedMessage(bytes, { to: [receivingKey] }),
  asc: (bytes) => encryptedMessage(bytes, { to: [receivingKey], armored: true }),
};

/** In the evening of the settlement date, Pacific time. */
function published(date) {
  return new Date(Date.parse(`${date}T00:00:00Z`) + (24 * 60 + 3 * 60 + 45) * 60_000);
}
