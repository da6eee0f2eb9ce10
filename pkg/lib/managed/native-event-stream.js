// The browser's own EventSource behind a ManagedEventSource: it reconnects by itself, and hides why it lost anything (W-1, W-10).
import { lossOf } from './loss.js';

const CLOSED = 2;

export class NativeEventStream {
  #source;
  #tell;
  #heard = new Set();

  constructor(url, { withCredentials }, tell) {
    this.#tell = tell;
    this.#source = new EventSource(url, { withCredentials });
    for (const type of ['open', 'message', 'error']) this.listen(type);
  }

  /** A named event reaches no other listener (W-5): what the page listens to must be listened to here. */
  listen(type) {
    if (this.#heard.has(type)) return;
    this.#heard.add(type);
    this.#source.addEventListener(type, this.#listen);
  }

  #listen = ({ type, data, origin, lastEventId }) => {
    // Only an event of the server has string data (W-3).
    if (typeof data === 'string') {
      this.#tell.event(type, { data, origin, lastEventId });
    } else if (type === 'open') {
      this.#tell.opened();
    } else {
      const isFinal = this.#source.readyState === CLOSED;
      this.#tell.lost(lossOf(isFinal ? 'connect-failed' : 'disconnected', { retryable: !isFinal }), isFinal);
    }
  };

  close() {
    this.#source.close();
  }
}
