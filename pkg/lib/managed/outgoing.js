// Messages that wait for a connection, up to a bound. A message leaves when it is handed to an open socket, and is never sent
// again: whether it arrived only the peer can say.
import { lossOf } from './loss.js';

/** What `send` would take it for, as it is now: whoever reuses a buffer does not change what waits. */
export const toMessage = (data) => {
  if (data instanceof Blob) return data;
  if (data instanceof ArrayBuffer) return data.slice(0);
  if (ArrayBuffer.isView(data)) return data.buffer.slice(data.byteOffset, data.byteOffset + data.byteLength);
  return `${data}`;
};

/** In bytes, as `bufferedAmount` counts. */
export const sizeOf = (message) => {
  if (typeof message === 'string') return new TextEncoder().encode(message).length;
  return message.size ?? message.byteLength;
};

export class Outgoing {
  #waiting = [];
  #limits;

  bytes = 0;

  /** `limits`: { maxMessages, maxBytes, overflow }. */
  constructor(limits) {
    this.#limits = limits;
  }

  add(data) {
    const message = toMessage(data);
    const size = sizeOf(message);
    const { maxMessages, maxBytes, overflow } = this.#limits;
    const isFull = () => this.#waiting.length >= maxMessages || this.bytes + size > maxBytes;
    if (overflow === 'drop-oldest') while (isFull() && this.#waiting.length > 0) this.#take();
    if (!isFull()) {
      this.#waiting.push({ message, size });
      this.bytes += size;
    } else if (overflow === 'throw') {
      throw lossOf('queue-full', { retryable: true });
    }
  }

  /** Hands all of it to `send`. */
  flush(send) {
    while (this.#waiting.length > 0) send(this.#take());
  }

  /** Gives how many bytes it drops. */
  clear() {
    const { bytes } = this;
    this.#waiting = [];
    this.bytes = 0;
    return bytes;
  }

  #take() {
    const { message, size } = this.#waiting.shift();
    this.bytes -= size;
    return message;
  }
}
