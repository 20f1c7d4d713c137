/**
 * Sends the requests of one turn of the event loop together. ssh2 makes a packet of each, with a cipher, random padding and
 * three writes to the socket of its own; SFTP is a stream of bytes, in which a packet may hold many requests (RFC 4254, 5.2).
 */
import type { Socket } from 'node:net';

/** What an SFTP channel of ssh2 asks of its connection, as far as we know its inside. */
interface Protocol {
  channelData(channel: number, data: Buffer): void;
}

interface Inside {
  _protocol?: Protocol;
  readonly outgoing?: { readonly packetSize?: number };
}

/**
 * Puts itself between the channel and its connection. Leaves alone what does not look as expected.
 * @returns sends at once what was asked so far; before the connection is closed
 */
export function gatherRequests(inside: Inside, socket: Socket): () => void {
  const { _protocol: protocol, outgoing } = inside;
  if (typeof protocol?.channelData !== 'function' || !outgoing?.packetSize) return () => {};
  const gathered = new Gathered(protocol, outgoing.packetSize, socket);
  inside._protocol = new Proxy(protocol, {
    get(target, name) {
      if (name === 'channelData') return gathered.add;
      const found: unknown = Reflect.get(target, name, target);
      if (typeof found !== 'function') return found;
      // Whatever else is said, the channel's end above all, comes after what was asked before.
      return (...args: unknown[]) => {
        gathered.send();
        return Reflect.apply(found, target, args) as unknown;
      };
    },
  });
  return () => gathered.send();
}

class Gathered {
  readonly #protocol: Protocol;
  /** How much the server takes in a packet, in bytes. */
  readonly #most: number;
  readonly #socket: Socket;
  #channel = 0;
  #requests: Buffer[] = [];
  #bytes = 0;

  constructor(protocol: Protocol, most: number, socket: Socket) {
    this.#protocol = protocol;
    this.#most = most;
    this.#socket = socket;
  }

  readonly add = (channel: number, data: Buffer): void => {
    if (this.#bytes + data.length > this.#most) this.send();
    if (this.#requests.length === 0) setImmediate(() => this.send());
    this.#channel = channel;
    this.#requests.push(data);
    this.#bytes += data.length;
  };

  send(): void {
    const [first, ...others] = this.#requests;
    if (first === undefined) return;
    this.#requests = [];
    this.#bytes = 0;
    this.#socket.cork();
    this.#protocol.channelData(
      this.#channel,
      others.length === 0 ? first : Buffer.concat([first, ...others]),
    );
    this.#socket.uncork();
  }
}
