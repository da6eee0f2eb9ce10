// EventSource over fetch: the standard's class, and what it lacks. What differs is listed in docs/differences.md.
import { EventStream } from './event-stream.js';
import { readInit } from './event-source-options.js';
import { errorEvent } from './loss.js';
import { NativeEventStream } from './native-event-stream.js';
import { adopt, shapeAs } from './shape.js';

const [CONNECTING, OPEN, CLOSED] = [0, 1, 2];

const parseUrl = (url) => {
  const text = `${url}`;
  try {
    return new URL(text, globalThis.document?.baseURI ?? globalThis.location?.href).href;
  } catch {
    throw new DOMException(`Cannot open an EventSource to '${text}': the URL is invalid.`, 'SyntaxError');
  }
};

export class ManagedEventSource extends EventTarget {
  #url;
  #withCredentials;
  #readyState = CONNECTING;
  #signal;
  #stream;

  constructor(url, ...rest) {
    super();
    if (arguments.length === 0) throw new TypeError('An EventSource needs a URL.');
    this.#url = parseUrl(url);
    const options = readInit(rest[0]);
    this.#withCredentials = options.withCredentials;
    adopt(this);
    const { signal, transport } = options;
    if (signal?.aborted) {
      this.#readyState = CLOSED;
      return;
    }
    const Stream = transport === 'native' ? NativeEventStream : EventStream;
    this.#stream = new Stream(this.#url, options, {
      opened: () => {
        this.#readyState = OPEN;
        this.dispatchEvent(new Event('open'));
      },
      event: (type, init) => this.dispatchEvent(new MessageEvent(type, init)),
      lost: (error, isFinal) => {
        // A crash is told later, and the page may have closed meanwhile.
        if (this.#readyState === CLOSED) return;
        this.#readyState = isFinal ? CLOSED : CONNECTING;
        if (isFinal) this.#signal?.removeEventListener('abort', this.#close);
        this.dispatchEvent(errorEvent(error));
      },
    });
    this.#signal = signal;
    signal?.addEventListener('abort', this.#close);
  }

  get url() {
    return this.#url;
  }

  get withCredentials() {
    return this.#withCredentials;
  }

  get readyState() {
    return this.#readyState;
  }

  close() {
    this.#close();
  }

  addEventListener(type, listener, ...rest) {
    this.#stream?.listen?.(`${type}`);
    super.addEventListener(type, listener, ...rest);
  }

  #close = () => {
    this.#readyState = CLOSED;
    this.#signal?.removeEventListener('abort', this.#close);
    this.#stream?.close();
  };
}

shapeAs(ManagedEventSource, 'EventSource', {
  states: ['CONNECTING', 'OPEN', 'CLOSED'],
  types: ['open', 'message', 'error'],
  members: ['url', 'withCredentials', 'readyState', 'close'],
});
