// What the browser tests ask of their page. This module is evaluated before the wasm is instantiated, so that what it wraps
// here is what the wasm finds: counted timers, frames and listeners. What can be real is real; only `Network` plays a
// server, for what no blob can do: refuse, hang, break, and tell what it was asked.

const real = {
  setTimeout: setTimeout.bind(globalThis),
  clearTimeout: clearTimeout.bind(globalThis),
  requestAnimationFrame: requestAnimationFrame.bind(globalThis),
  cancelAnimationFrame: cancelAnimationFrame.bind(globalThis),
  fetch: fetch.bind(globalThis),
};

// ---- what lives ----

const timers = new Set();
const frames = new Set();
const listeners = [];
let delays = [];
let framesCome = true;

globalThis.setTimeout = (handler, ms, ...rest) => {
  delays.push(ms);
  const id = real.setTimeout(() => {
    timers.delete(id);
    handler(...rest);
  }, ms);
  timers.add(id);
  return id;
};
globalThis.clearTimeout = (id) => {
  timers.delete(id);
  real.clearTimeout(id);
};
globalThis.requestAnimationFrame = (handler) => {
  const id = real.requestAnimationFrame((time) => {
    if (framesCome && frames.delete(id)) handler(time);
  });
  frames.add(id);
  return id;
};
globalThis.cancelAnimationFrame = (id) => {
  frames.delete(id);
  real.cancelAnimationFrame(id);
};

const { addEventListener: add, removeEventListener: remove } = EventTarget.prototype;
const isCounted = (target) => target === globalThis || target === document || target === undefined;
EventTarget.prototype.addEventListener = function addEventListener(name, handler, ...rest) {
  if (isCounted(this)) listeners.push({ name, handler });
  return add.call(this ?? globalThis, name, handler, ...rest);
};
EventTarget.prototype.removeEventListener = function removeEventListener(name, handler, ...rest) {
  const at = listeners.findIndex((one) => one.name === name && one.handler === handler);
  if (isCounted(this) && at >= 0) listeners.splice(at, 1);
  return remove.call(this ?? globalThis, name, handler, ...rest);
};

export const liveTimers = () => timers.size;
export const liveFrames = () => frames.size;
export const liveListeners = () => listeners.length;
/** The delays given to `setTimeout` since the last call. */
export const takeDelays = () => {
  const taken = delays;
  delays = [];
  return taken;
};
/** Frames do not come on a page that nobody sees. */
export const stopFrames = (stop) => {
  framesCome = !stop;
};

// ---- what nobody caught ----

let uncaught = [];
add.call(globalThis, 'unhandledrejection', (event) => uncaught.push(`unhandled rejection: ${event.reason}`));
add.call(globalThis, 'error', (event) => uncaught.push(`uncaught: ${event.message}`));
export const takeUncaught = () => {
  const taken = uncaught.join('\n');
  uncaught = [];
  return taken;
};

/** Collects what nobody holds; its finalizers come with a later turn. */
export const collect = () => gc();

/** What `call` throws, as text. */
export const thrown = (call) => {
  try {
    call();
    return '';
  } catch (error) {
    return String(error.name);
  }
};

// ---- time ----

// Nested timers wait for four ms each; messages do not.
const { port1, port2 } = new MessageChannel();
const waiting = [];
port1.onmessage = () => waiting.shift()();

/** The next turn of the event loop. */
export const turn = () => new Promise((resolve) => {
  waiting.push(resolve);
  port2.postMessage(null);
});
/** A timer of the page's own, to be beaten or waited out by the one under test. */
export const timer = (ms) => new Promise((resolve) => {
  real.setTimeout(resolve, ms);
});

// ---- the page's weather ----

export const setHidden = (hidden) => {
  Object.defineProperty(document, 'hidden', { configurable: true, get: () => hidden });
};
export const setOnline = (online) => {
  Object.defineProperty(navigator, 'onLine', { configurable: true, get: () => online });
};
export const tellWindow = (name) => globalThis.dispatchEvent(new Event(name));
export const tellDocument = (name) => document.dispatchEvent(new Event(name));

// ---- transports ----

/** The crash registry, as the package keeps it. */
export class Ledger {
  transports = new Set();
  count = 0;
  mistakes = [];
  opened = (transport) => {
    this.count += 1;
    if (this.transports.has(transport)) this.mistakes.push('opened twice');
    this.transports.add(transport);
  };
  closed = (transport) => {
    if (!this.transports.delete(transport)) this.mistakes.push('closed twice, or never opened');
    const isOver = transport instanceof EventSource ? transport.readyState === EventSource.CLOSED : true;
    if (!isOver) this.mistakes.push('closed and still connected');
  };
  get live() {
    return this.transports.size;
  }
  get complaints() {
    return this.mistakes.join('\n');
  }
}

/** A URL that a real `fetch` or `EventSource` can load, once or often. A path may follow: it goes into the fragment. */
export const blobUrl = (body, type) => {
  // An earlier test that failed could not give it back.
  globalThis.fetch = real.fetch;
  return `${URL.createObjectURL(new Blob([body], { type }))}#`;
};
export const revoke = (url) => URL.revokeObjectURL(url.slice(0, -1));

/** Answers `fetch` as the test says, call by call. It keeps what the real one keeps: an abort rejects. */
export class Network {
  calls = [];
  onAbort;

  constructor() {
    globalThis.fetch = (url, init) => new Promise((resolve, reject) => {
      const call = { url, init, resolve, reject, body: null };
      init.signal?.addEventListener('abort', () => {
        reject(init.signal.reason);
        call.body?.error(init.signal.reason);
        this.onAbort?.();
      });
      this.calls.push(call);
    });
  }

  restore() {
    globalThis.fetch = real.fetch;
  }

  get count() {
    return this.calls.length;
  }

  url(at) {
    return this.calls[at].url;
  }

  method(at) {
    return this.calls[at].init.method ?? 'GET';
  }

  text(at) {
    return this.calls[at].init.body ?? '';
  }

  header(at, name) {
    return this.calls[at].init.headers.get(name) ?? '';
  }

  isAborted(at) {
    return this.calls[at].init.signal.aborted;
  }

  refuse(at) {
    this.calls[at].reject(new TypeError('network down'));
  }

  respond(at, response) {
    this.calls[at].resolve(response);
  }

  head(at, status, type) {
    const call = this.calls[at];
    const stream = new ReadableStream({ start: (controller) => { call.body = controller; } });
    call.resolve(new Response(stream, { status, headers: { 'content-type': type } }));
  }

  send(at, text) {
    this.calls[at].body.enqueue(new TextEncoder().encode(text));
  }

  end(at) {
    this.calls[at].body.close();
  }

  break(at) {
    this.calls[at].body.error(new TypeError('connection reset'));
  }
}

export const bodyless = (status) => new Response(null, { status });
export const readAlready = () => {
  const response = new Response('spent', { headers: { 'content-type': 'text/event-stream' } });
  response.body.getReader();
  return response;
};

let resolveHeaders;
const headerSources = {
  counting: () => {
    let asked = 0;
    return async () => new Headers({ 'x-attempt': asked += 1 });
  },
  rejecting: () => async () => { throw new Error('no token'); },
  throwing: () => () => { throw new Error('no token'); },
  late: () => () => new Promise((resolve) => { resolveHeaders = resolve; }),
};
/** The user's headers: counting, rejecting, throwing, or late, which means never, or with `answerHeaders`. */
export const headers = (kind) => headerSources[kind]();
export const answerHeaders = () => resolveHeaders(new Headers());

// ---- the raw client's arguments ----

export const options = (baseUrl, changes) => ({
  protocol: 'bichat', baseUrl, streamEndpoint: '', transport: 'fetch', eventLog: true, credentials: 'include', retryBaseMs: 1,
  retryCapMs: 1, retryJitter: false, retryStableMs: 10000, retryBudgetMs: 120000, retryMaxAttempts: Infinity, stallMs: 45000,
  livenessFloorMs: 6000, connectGraceMs: 500, connectTimeoutMs: 0, statusTimeoutMs: 5000, stopTimeoutMs: 5000,
  maxEventBytes: 16777216, ...JSON.parse(changes),
});
export const hooks = (wake, { opened, closed }) => ({ wake, opened, closed });

/** Writes into wasm memory as the package does; the bytes that fit. */
export const write = (memory, at, bytes) => new Uint8Array(memory.buffer, at, bytes.length).set(bytes);
