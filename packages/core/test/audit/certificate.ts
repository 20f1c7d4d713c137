/** A certificate of one's own making for servers on loopback, valid for 127.0.0.1 and localhost. */
import { generateKeyPairSync, sign } from 'node:crypto';

export interface Certificate {
  readonly key: string;
  readonly cert: string;
}

export function selfMadeCertificate(): Certificate {
  const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const spki = publicKey.export({ type: 'spki', format: 'der' });
  const body = sequence(
    der(0xa0, der(0x02, Buffer.of(2))),
    der(0x02, Buffer.of(1)),
    ECDSA_SHA256,
    NAME,
    sequence(time('20200101000000Z'), time('20991231235959Z')),
    NAME,
    spki,
    der(0xa3, sequence(BASIC_CONSTRAINTS, ALTERNATIVE_NAMES)),
  );
  const signature = sign('sha256', body, privateKey);
  const whole = sequence(body, ECDSA_SHA256, der(0x03, Buffer.of(0), signature));
  const cert = `-----BEGIN CERTIFICATE-----\n${whole.toString('base64')}\n-----END CERTIFICATE-----\n`;
  return { cert, key: privateKey.export({ type: 'pkcs8', format: 'pem' }) as string };
}

function der(tag: number, ...parts: readonly Buffer[]): Buffer {
  const content = Buffer.concat(parts);
  const { length } = content;
  const head = length < 128 ? [length] : [0x82, length >> 8, length & 0xff];
  return Buffer.concat([Buffer.of(tag, ...head), content]);
}

function sequence(...parts: readonly Buffer[]): Buffer {
  return der(0x30, ...parts);
}

/** The last bytes of an object identifier, as DER spells them. */
function identifier(...bytes: readonly number[]): Buffer {
  return der(0x06, Buffer.of(...bytes));
}

function time(text: string): Buffer {
  return der(0x18, Buffer.from(text));
}

const ECDSA_SHA256 = sequence(identifier(0x2a, 0x86, 0x48, 0xce, 0x3d, 0x04, 0x03, 0x02));
const COMMON_NAME = sequence(identifier(0x55, 0x04, 0x03), der(0x0c, Buffer.from('octo test')));
const NAME = sequence(der(0x31, COMMON_NAME));
const BASIC_CONSTRAINTS = sequence(
  identifier(0x55, 0x1d, 0x13),
  der(0x01, Buffer.of(0xff)),
  der(0x04, sequence(der(0x01, Buffer.of(0xff)))),
);
const ALTERNATIVE_NAMES = sequence(
  identifier(0x55, 0x1d, 0x11),
  der(0x04, sequence(der(0x87, Buffer.of(127, 0, 0, 1)), der(0x82, Buffer.from('localhost')))),
);
