// The page as its tests see it: what lives in it is counted, what nobody caught is kept, and the network and the weather are
// as a test says. Evaluated before the package, which then finds what is wrapped here.

const real = {
  setTimeout: setTimeout.bind(globalThis),
  clearTimeout: clearTimeout.bind(globalThis),
  requestAnimationFrame: requestAnimationFrame.bind(globalThis),
  cancelAnimationFrame: cancelAnimationFrame.bind(globalThis),
  fetch: fetch.bind(globalThis),
  EventSource,
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

// Ours aborts every request that is over: one whose signal is not aborted is under way.
const requests = new Set();
const sources = new Set();
const live = (set, isOver) => {
  for (const one of set) if (isOver(one)) set.delete(one);
  return set.size;
};
const liveRequests = () => live(requests, (signal) => signal.aborted);
const liveSources = () => live(sources, ({ readyState }) => readyState === real.EventSource.CLOSED);

const countedFetch = (answer) => (url, init) => {
  requests.add(init.signal);
  return answer(url, init);
};
globalThis.fetch = countedFetch(real.fetch);
class CountedEventSource extends real.EventSource {
  constructor(...args) {
    super(...args);
    sources.add(this);
  }
}
globalThis.EventSource = CountedEventSource;

/** Everything that could still make something happen. */
export const left = () => ({
  timers: timers.size, frames: frames.size, listeners: listeners.length, requests: liveRequests(), sources: liveSources(),
});

/** The delays given to `setTimeout` since the last call. */
export const takeDelays = () => delays.splice(0);
/** Frames do not come on a page that nobody sees. */
export const stopFrames = (stop) => {
  framesCome = !stop;
};

// ---- what nobody caught ----

let uncaught = [];
add.call(globalThis, 'unhandledrejection', (event) => uncaught.push(`unhandled rejection: ${event.reason}`));
add.call(globalThis, 'error', (event) => uncaught.push(`uncaught: ${event.message}`));
export const takeUncaught = () => uncaught.splice(0);

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
/** A timer of the test's own, which is not counted: to be beaten or waited out by the one under test. */
export const timer = (ms) => new Promise((resolve) => { real.setTimeout(resolve, ms); });

/** Lets everything run out that a turn or two of the event loop can bring: settled promises, rejections nobody caught. */
export const settle = async () => {
  for (let round = 0; round < 3; round += 1) {
    await turn();
    await timer(0);
  }
};

/** Waits until `condition` holds. */
export const until = async (condition) => {
  const limit = performance.now() + 8_000;
  while (!condition()) {
    if (performance.now() > limit) throw new Error(`it never came: ${condition}`);
    await turn();
  }
};

// ---- the page's weather ----

export const setHidden = (hidden) => {
  Object.defineProperty(document, 'hidden', { configurable: true, get: () => hidden });
};
export const setOnline = (online) => {
  Object.defineProperty(navigator, 'onLine', { configurable: true, get: () => online });
};
export const tellWindow = (name) => globalThis.dispatchEvent(new Event(name));
export const tellDocument = (name) => document.dispatchEvent(new Event(name));

// ---- the network ----

export const EVENT_STREAM = 'text/event-stream';

/** A URL that a real `fetch` or `EventSource` can load, once or often. A path may follow: it goes into the fragment. */
export const blobUrl = (body, type = EVENT_STREAM) => `${URL.createObjectURL(new Blob([body], { type }))}#`;
export const revoke = (url) => URL.revokeObjectURL(url.slice(0, -1));

/** Answers `fetch` as the test says, call by call. It keeps what the real one keeps: an abort rejects. */
export class Network {
  calls = [];
  onAsk = null;
  onAbort = null;

  constructor() {
    globalThis.fetch = countedFetch((url, init) => new Promise((resolve, reject) => {
      const call = { url, init, resolve, reject, body: null };
      init.signal.addEventListener('abort', () => {
        reject(init.signal.reason);
        call.body?.error(init.signal.reason);
        this.onAbort?.(this.calls.indexOf(call));
      });
      this.calls.push(call);
      this.onAsk?.(this.calls.length - 1);
    }));
  }

  static restore() {
    globalThis.fetch = countedFetch(real.fetch);
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

  head(at, status = 200, type = EVENT_STREAM) {
    const call = this.calls[at];
    const stream = new ReadableStream({ start: (controller) => { call.body = controller; } });
    call.resolve(new Response(stream, { status, headers: { 'content-type': type } }));
  }

  send(at, ...texts) {
    for (const text of texts) this.calls[at].body.enqueue(new TextEncoder().encode(text));
  }

  end(at) {
    this.calls[at].body.close();
  }

  break(at) {
    this.calls[at].body.error(new TypeError('connection reset'));
  }
}

/** The next source that is opened, which tells what the test says. */
export class ScriptedSource extends EventTarget {
  readyState = 0;
  onClose = null;

  constructor() {
    super();
    const source = this;
    globalThis.EventSource = function ScriptedEventSource() {
      globalThis.EventSource = CountedEventSource;
      sources.add(source);
      return source;
    };
  }

  open() {
    this.readyState = 1;
    this.dispatchEvent(new Event('open'));
  }

  tell(name, lastEventId, data) {
    this.dispatchEvent(new MessageEvent(name, { lastEventId, data: JSON.stringify(data) }));
  }

  close() {
    this.readyState = 2;
    this.onClose?.();
  }
}

/** As every test finds the page. */
export const reset = () => {
  Network.restore();
  globalThis.EventSource = CountedEventSource;
  stopFrames(false);
  delete document.hidden;
  delete navigator.onLine;
};
