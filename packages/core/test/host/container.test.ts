import { CLOCK, LOGGER } from '@octo/plugin-api';
import { ManualClock, RecordingLogger } from '@octo/plugin-testing';
import { expect, test } from 'vitest';
import { Services } from '../../src/host/container.ts';

test('a service is given under the name that the plugin chose', () => {
  const clock = new ManualClock();
  const services = new Services().register(CLOCK, clock);
  expect(services.give('p', { time: CLOCK, same: CLOCK })).toEqual({ time: clock, same: clock });
});

test('a token of another copy of the contract means the same', () => {
  const clock = new ManualClock();
  const services = new Services().register(CLOCK, clock);
  expect(services.give('p', { time: { id: CLOCK.id } }).time).toBe(clock);
});

test('nobody can register a service twice', () => {
  const services = new Services().register(CLOCK, new ManualClock());
  expect(() => services.register(CLOCK, new ManualClock())).toThrow(
    expect.objectContaining({ code: 'OCTO_TOKEN_TWICE' }),
  );
});

test('the services of one plugin are not those of another', () => {
  new Services().register(LOGGER, new RecordingLogger());
  expect(() => new Services().give('p', { log: LOGGER })).toThrow(
    expect.objectContaining({ code: 'OCTO_TOKEN_UNKNOWN' }),
  );
});

test('a token that is none is refused', () => {
  const services = new Services().register(CLOCK, new ManualClock());
  expect(() => services.give('p', { time: undefined as never })).toThrow(
    `wants the service 'without an id'`,
  );
});
