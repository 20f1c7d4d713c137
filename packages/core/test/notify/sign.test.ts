import { expect, test } from 'vitest';
import { signedHeaders } from '../../src/notify/sign.ts';

/** Made with the package standardwebhooks 1.0.0 from npm. */
test('the signature is the one that libraries for Standard Webhooks make', () => {
  const message = { id: 'msg_p5jXN8AQM9LWM0D4loKWxJek', body: '{"test": 2432232314}' };
  const secret = 'whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw';
  expect(signedHeaders(message, secret, 1_614_265_330_999)).toEqual({
    'webhook-id': 'msg_p5jXN8AQM9LWM0D4loKWxJek',
    'webhook-timestamp': '1614265330',
    'webhook-signature': 'v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=',
  });
});

test('id, time, body and secret each make another signature', () => {
  const message = { id: 'a', body: 'b' };
  const sign = (...args: Parameters<typeof signedHeaders>) =>
    signedHeaders(...args)['webhook-signature'];
  const signatures = [
    sign(message, 'correct horse battery', 1000),
    sign({ ...message, id: 'c' }, 'correct horse battery', 1000),
    sign({ ...message, body: 'c' }, 'correct horse battery', 1000),
    sign(message, 'correct horse battery', 2000),
    sign(message, 'another horse battery', 1000),
  ];
  expect(new Set(signatures).size).toBe(5);
});
