import { expect, test } from 'vitest';
import { isPluginError, PluginError } from '../src/index.ts';

test('an error carries its type, its code, its cause and how long to wait', () => {
  const cause = new Error('429');
  const error = new PluginError('rate_limit', 'asked to slow down', {
    cause,
    code: 'SLOW_DOWN',
    retryAfterMs: 1500,
  });
  expect(error).toMatchObject({
    name: 'PluginError',
    type: 'rate_limit',
    message: 'asked to slow down',
    code: 'SLOW_DOWN',
    retryAfterMs: 1500,
    cause,
  });
});

test('an error without a cause has none, not even an undefined one', () => {
  expect(Object.hasOwn(new PluginError('network', 'lost'), 'cause')).toBe(false);
});

test('an error of another copy of the contract is recognised', () => {
  const foreign = Object.assign(new Error('lost'), {
    $octo: '@octo/plugin-error',
    type: 'network',
  });
  expect(isPluginError(foreign)).toBe(true);
  expect(isPluginError(new PluginError('auth', 'no'))).toBe(true);
});

test.each([undefined, null, new Error('plain'), { $octo: '@octo/plugin-error' }, 'auth'])(
  '%s is no such error',
  (value) => {
    expect(isPluginError(value)).toBe(false);
  },
);
