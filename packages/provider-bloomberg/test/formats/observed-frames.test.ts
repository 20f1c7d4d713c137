/**
 * Frames that public clients of Bloomberg have among their fixtures, with made-up values. `test.fails` marks what is not
 * read yet: whoever mends it takes the mark away.
 */
import { expect, test } from 'vitest';
import { frame, verdict } from './replies.ts';

// COLUMNHEADER=yes in a request, columnHeader in a format: qf-lib's fixtures, and those of others.
test.fails(
  'the titles of the columns are the first row of getdata where they were asked for',
  () => {
    const text = frame({
      program: 'getdata',
      headers: ['COLUMNHEADER=yes'],
      fields: ['PX_LAST', 'CRNCY'],
      rows: ['SECURITIES|ERROR CODE|NUM FLDS|PX_LAST|CRNCY|', 'IBM US Equity|0|2|231.45|USD|'],
    });
    expect(verdict(text)).toBe('accepted');
  },
);

// displayPricingSource in a HistoryFormat, includeSourceInOutput in its pricing source: qf-lib's fixtures.
test.fails('a horizontal history may show where prices come from, before the date', () => {
  const text = frame({
    program: 'gethistory',
    headers: ['HIST_FORMAT=horizontal'],
    fields: ['PX_OPEN', 'PX_LAST'],
    rows: [
      'CTA Comdty|0|2|EX|20260114|0.8505|0.859|',
      'CTA Comdty|0|2|EX|20260115|0.86|0.8697|',
      'RTYM1 Index|0|2|EX| | | |',
      'NOPE Index|10|2| | | | |',
    ],
  });
  expect(verdict(text)).toBe('accepted');
});

// The API's description of DataFormat: with another delimiter than |, text stands in double quotes.
test.fails('with another delimiter than a bar, text stands in quotes and may hold it', () => {
  const text = frame({
    program: 'getdata',
    headers: ['DELIMITER=,'],
    fields: ['NAME', 'PX_LAST'],
    rows: ['"IBM US Equity",0,2,"MACHINES, INTERNATIONAL",231.45,'],
  });
  expect(verdict(text)).toBe('accepted');
});
