import { expect, test } from 'vitest';
import { parseTraceParent, traceIdOf } from '../../src/observe/trace-context.ts';

const traceId = '0af7651916cd43dd8448eb211c80319c';
const spanId = 'b7ad6b7169203331';

test('a traceparent names trace, span and whether somebody keeps them', () => {
  const found = { traceId, spanId, isSampled: true };
  expect(parseTraceParent(`00-${traceId}-${spanId}-01`)).toEqual(found);
  expect(parseTraceParent(`00-${traceId}-${spanId}-02`)).toEqual({ ...found, isSampled: false });
  expect(parseTraceParent(`cc-${traceId}-${spanId}-01-what-comes-later`)).toEqual(found);
});

test.each([
  undefined,
  '',
  'x',
  `ff-${traceId}-${spanId}-01`,
  `00-${traceId}-${spanId}-01-more`,
  `00-${traceId.toUpperCase()}-${spanId}-01`,
  `00-${'0'.repeat(32)}-${spanId}-01`,
  `00-${traceId}-${'0'.repeat(16)}-01`,
  `00-${traceId}-${spanId}`,
])('%j is none, and a trace of its own follows from the id of the run', (header) => {
  expect(parseTraceParent(header)).toBeUndefined();
  const run = '550e8400-e29b-41d4-a716-446655440000';
  expect(traceIdOf(run, header)).toBe('550e8400e29b41d4a716446655440000');
});

test('an id of another form has a trace, too', () => {
  expect(traceIdOf('20260116-034507-k3x9', undefined)).toMatch(/^[0-9a-f]{32}$/);
});
