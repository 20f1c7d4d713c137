// What the demo's Bloomberg answers: two evenings of prices, and reference data. Always the same.
import { seededRandom } from '@octo/plugin-testing';

/**
 * @typedef {object} Reply
 * @property {string} key
 * @property {string} requestId
 * @property {string} body
 * @property {number} modifiedMs in the past
 */

/** @returns {Reply[]} everything that is there from the beginning */
export function priceReplies() {
  const reference = frame('octoRef', bonds);
  return [
    reply('octoEod', '2026-01-14', 'csv', prices('2026-01-14')),
    // Pence in place of pounds, in one row: it will be issued again.
    reply('octoEod', '2026-01-15', 'csv', prices('2026-01-15', { wrong: true })),
    reply('octoRef', '2026-01-14', 'bbg', reference),
    // Its end got lost.
    reply('octoRef', '2026-01-15', 'bbg', reference.slice(0, reference.lastIndexOf('END-OF-FILE'))),
  ];
}

/** The prices that are corrected a few seconds after they were fetched: same key, other bytes, an hour later. */
export function correction() {
  const again = reply('octoEod', '2026-01-15', 'csv', prices('2026-01-15'));
  return { ...again, modifiedMs: again.modifiedMs + 3_600_000 };
}

const equities = ['IBM US', 'AAPL US', 'VOD LN', 'SAP GY', 'NESN SW'];
const bonds = ['US912810TM09', 'DE0001102614', 'GB00BMBL1F74'];

function reply(requestId, date, ending, body) {
  const key = `${requestId}-${date.replaceAll('-', '')}T220444.${ending}`;
  const modifiedMs = Date.parse(`${date}T22:04:44Z`);
  return { key, requestId, body, modifiedMs, snapshotMs: modifiedMs };
}

function prices(date, { wrong = false } = {}) {
  const random = seededRandom(`octo demo ${date}`);
  const rows = equities.map((security) => {
    const last = 40 + 300 * random.next();
    const price = wrong && security === 'VOD LN' ? last * 100 : last;
    return row(date, `${security} Equity`, 0, price.toFixed(4), random.whole(100_000, 9_999_999));
  });
  // Bloomberg does not know this one any more: delivered, with a warning.
  return lines('\r\n', HEADER, ...rows, row(date, 'NOPE US Equity', 10, '', ''));
}

const HEADER =
  'DL_REQUEST_ID,DL_REQUEST_NAME,DL_SNAPSHOT_START_TIME,DL_SNAPSHOT_TZ,IDENTIFIER,RC,PX_LAST,PX_VOLUME';

function row(date, ...cells) {
  return ['octoEod', 'octoEod', `${date}T22:04:44`, 'Etc/UTC', ...cells].join(',');
}

/** As the same request would be answered over SFTP. */
function frame(name, isins) {
  const random = seededRandom(`octo demo ${name}`);
  const rows = isins.map((isin) => {
    const [first, second] = [2030 + random.whole(0, 5), 2036 + random.whole(0, 5)];
    const coupon = (random.whole(4, 40) / 8).toFixed(6);
    const calls = `;2;2;2;5;${first}0301;3;103.438000;5;${second}0301;3;101.719000;`;
    return `${isin}|0|3|${coupon}|${2045 + random.whole(0, 10)}0301|${calls}|`;
  });
  return lines(
    '\n',
    'START-OF-FILE',
    'RUNDATE=20260114',
    'PROGRAMNAME=getdata',
    'DATEFORMAT=yyyymmdd',
    '',
    'START-OF-FIELDS',
    'CPN',
    'MATURITY',
    'CALL_SCHEDULE',
    'END-OF-FIELDS',
    '',
    'TIMESTARTED=Wed Jan 14 17:04:10 EST 2026',
    'START-OF-DATA',
    ...rows,
    'END-OF-DATA',
    'TIMEFINISHED=Wed Jan 14 17:04:44 EST 2026',
    'END-OF-FILE',
  );
}

function lines(end, ...all) {
  return all.map((line) => `${line}${end}`).join('');
}
