// WebSocket that reconnects: the standard's class on top of one native socket after another. What differs is listed in
// docs/differences.md.
import { checkClose, ruleOf } from './close-rules.js';
import { BYTES, Dialer } from './dialer.js';
import { Heartbeat } from './heartbeat.js';
import { errorEvent, lossOf } from './loss.js';
import { linkNumbers } from './options.js';
import { Outgoing, sizeOf, toMessage } from './outgoing.js';
import { callGuarded, report } from '../report.js';
import { adopt, shapeAs } from './shape.js';
import { readOptions } from './web-socket-options.js';

const [CONNECTING, OPEN, CLOSING, CLOSED] = [0, 1, 2, 3];
const ABNORMAL = 1006;
const EVENTS = ['open', 'message', 'error', 'close'];

export class ManagedWebSocket extends EventTarget {
  #url;
  #protocols;
  #options;
  #state = CONNECTING;
  #binaryType = 'blob';
  #socket = null;          // the present native one, or the last
  #isLive = false;         // whether we listen to it
  #dialer;
  #queue;
  #heartbeat;
  #dropped = 0;            // bytes of messages that no socket and no queue took
  #asking = 0;             // counts the times that the URL was asked for: an answer that comes late is none
  #loss = null;            // what its error made of the present socket, until its close event
  #isRefused = false;      // 4401 was the last word of the connection before
  #wasOpen = false;
  #ending;                 // the task that tells of a close() that no native socket tells of
  #born = performance.now();

  constructor(url, ...[protocols, options]) {
    super();
    if (arguments.length === 0) throw new TypeError('A WebSocket needs a URL.');
    this.#options = readOptions(options);
    adopt(this);
    this.#url = typeof url === 'function' ? url : `${url}`;
    // Beside options, as wrappers take it; alone it is the text "null", as the standard has it.
    this.#protocols = protocols === null && options && !this.#options.isSingle ? undefined : protocols;
    const { isSingle, queue, heartbeat, signal, startClosed } = this.#options;
    if (!isSingle) this.#queue = new Outgoing(queue);
    if (heartbeat) this.#heartbeat = new Heartbeat(heartbeat, (message) => this.#beat(message));
    if (startClosed || signal?.aborted) {
      this.#state = CLOSED;
      return;
    }
    // Before anything else, because of what it throws.
    if (!this.#isAsked) this.#open(this.#url, this.#protocols);
    try {
      this.#start();
    } catch (error) {
      this.#retire();
      throw error;
    }
    signal?.addEventListener('abort', this.#abort);
  }

  // ---- the standard's ----

  get url() {
    return this.#socket?.url ?? (this.#isAsked ? '' : this.#url);
  }

  get readyState() {
    // While the server's Close is answered a native socket is CLOSING, and does not take any more.
    return this.#state === OPEN ? Math.min(this.#socket.readyState, CLOSING) : this.#state;
  }

  get bufferedAmount() {
    return this.#dropped + (this.#queue?.bytes ?? 0) + (this.#socket?.bufferedAmount ?? 0);
  }

  get extensions() {
    return this.#socket?.extensions ?? '';
  }

  get protocol() {
    return this.#socket?.protocol ?? '';
  }

  get binaryType() {
    return this.#binaryType;
  }

  set binaryType(value) {
    const type = `${value}`;
    if (type !== 'blob' && type !== 'arraybuffer') return;
    this.#binaryType = type;
    if (this.#socket) this.#socket.binaryType = type;
  }

  send(data) {
    if (arguments.length === 0) throw new TypeError('send() needs a message.');
    const isDown = this.#state === CONNECTING || this.#state === OPEN && this.#socket.readyState !== OPEN;
    if (isDown && this.#queue) this.#queue.add(data);
    // It knows what to throw, and what to drop and count.
    else if (this.#socket) this.#socket.send(data);
    else if (isDown) throw new DOMException('Still in CONNECTING state.', 'InvalidStateError');
    else this.#dropped += sizeOf(toMessage(data));
  }

  close() {
    // Even a dead one knows what to throw.
    if (this.#socket) this.#socket.close(...arguments);
    else checkClose(...arguments);
    if (this.#state === CLOSING || this.#state === CLOSED) return;
    this.#state = CLOSING;
    this.#asking += 1;
    // Never sent, and counted all the same, as the standard has it.
    this.#dropped += this.#queue?.clear() ?? 0;
    this.#stop();
    // Nobody else will say so.
    if (!this.#isLive) this.#ending = setTimeout(() => this.#endWithout(lossOf('aborted', {}), null));
  }

  // ---- the wrappers' ----

  /** Waits since the last progress. */
  get retryCount() {
    return this.#dialer?.attempt ?? 0;
  }

  get shouldReconnect() {
    return !this.#options.isSingle && this.#state !== CLOSING && this.#state !== CLOSED;
  }

  /** Leaves the present connection, if there is one, and makes a new one at once, with the whole budget. */
  reconnect(code = 1000, reason = '') {
    checkClose(code, reason);
    const wasDown = this.#state === CLOSED || this.#state === CONNECTING && !this.#isLive;
    this.#retire(code, reason);
    clearTimeout(this.#ending);
    this.#state = CONNECTING;
    this.#asking += 1;
    this.#dropped = 0;
    if (!wasDown) this.#tellClose({ code, reason: `${reason}`, wasClean: true }, { retryAt: Date.now() }, null);
    if (this.#state !== CONNECTING) return;
    if (this.#dialer) this.#dialer.connect();
    else this.#start();
  }

  // ---- connections ----

  get #isAsked() {
    return typeof this.#url === 'function' || typeof this.#protocols === 'function';
  }

  #start() {
    const { isSingle, retry, liveness, leastMs, connectTimeoutMs } = this.#options;
    // One socket and no limits: the engine has nothing to decide.
    if (isSingle && !this.#heartbeat && connectTimeoutMs === 0) {
      if (!this.#isLive) this.#dial();
      return;
    }
    this.#dialer = new Dialer(linkNumbers(leastMs, retry, liveness, this.#options), {
      connect: () => this.#dial(),
      lose: (code) => this.#give(code),
      drop: () => this.#drop(),
      crash: (error) => this.#crash(error),
    }, !isSingle);
    this.#dialer.connect();
  }

  #stop() {
    this.#heartbeat?.stop();
    this.#options.signal?.removeEventListener('abort', this.#abort);
    const dialer = this.#dialer;
    this.#dialer = undefined;
    dialer?.close();
  }

  #abort = () => this.close();

  #dial() {
    // The first one is there already.
    if (this.#isLive) return;
    if (this.#isAsked) {
      this.#ask();
      return;
    }
    try {
      this.#open(this.#url, this.#protocols);
    } catch (cause) {
      this.#give('connect-failed', { cause });
    }
  }

  async #ask() {
    const asking = this.#asking += 1;
    // One turn later: nothing of the page's runs within its own call of the constructor.
    await null;
    const given = (value) => (typeof value === 'function' ? value() : value);
    try {
      const [url, protocols] = await Promise.all([given(this.#url), given(this.#protocols)]);
      if (asking === this.#asking) this.#open(`${url}`, protocols ?? undefined);
    } catch (cause) {
      if (asking === this.#asking) this.#give('connect-failed', { cause });
    }
  }

  #open(url, protocols) {
    const { WebSocket } = this.#options;
    const socket = protocols === undefined ? new WebSocket(url) : new WebSocket(url, protocols);
    socket.binaryType = this.#binaryType;
    for (const type of EVENTS) socket.addEventListener(type, this.#listen);
    this.#socket = socket;
    this.#isLive = true;
    this.#loss = null;
  }

  /** Nothing more is heard of the present socket. */
  #retire(...closing) {
    this.#heartbeat?.stop();
    if (!this.#isLive) return;
    this.#isLive = false;
    for (const type of EVENTS) this.#socket.removeEventListener(type, this.#listen);
    this.#socket.close(...closing);
  }

  #listen = (event) => {
    if (event.type === 'message') this.#handleMessage(event);
    else if (event.type === 'open') this.#handleOpen();
    else if (event.type === 'error') this.#handleError();
    else this.#handleClose(event);
  };

  #handleOpen() {
    this.#state = OPEN;
    this.#wasOpen = true;
    this.#dialer?.opened();
    this.#heartbeat?.restart();
    const isFirst = this.#options.queue.flush === 'before-open';
    if (isFirst) this.#flush();
    this.dispatchEvent(new Event('open'));
    if (!isFirst) this.#flush();
  }

  #flush() {
    if (this.#state === OPEN) this.#queue?.flush((message) => this.#socket.send(message));
  }

  #handleMessage({ data, origin }) {
    this.#dialer?.heard(BYTES);
    this.#heartbeat?.restart();
    this.#isRefused = false;
    if (!this.#isPong(data)) this.dispatchEvent(new MessageEvent('message', { data, origin }));
  }

  #isPong(data) {
    try {
      return this.#options.heartbeat?.isPong?.(data) ?? false;
    } catch (error) {
      report(error);
      return false;
    }
  }

  #beat(message) {
    if (this.#state === OPEN) callGuarded(() => this.#socket.send(message));
  }

  #handleError() {
    this.#loss = this.#lose(ABNORMAL, {});
    this.dispatchEvent(errorEvent(this.#loss.error));
  }

  #handleClose({ code, reason, wasClean }) {
    // What its error made of it does not hold any more if the page has closed since.
    const loss = (this.#state !== CLOSING && this.#loss) || this.#lose(code, { detail: reason || undefined });
    this.#loss = null;
    this.#isLive = false;
    this.#tellClose({ code, reason, wasClean }, loss.fate, loss.error);
  }

  // We gave the connection up, or it could not even be tried.
  #give(code, fields = {}) {
    this.#retire();
    const { fate, error } = this.#lose(ABNORMAL, { code, isByUs: true, ...fields });
    this.#endWithout(error, fate);
  }

  // The page goes away. Where it goes on, the engine connects anew.
  #drop() {
    const isAsking = !this.#isLive;
    this.#asking += 1;
    this.#retire();
    this.#state = CONNECTING;
    if (!isAsking) this.#tellClose({ code: ABNORMAL }, { retryAt: null }, lossOf('disconnected', { retryable: true }));
  }

  #crash(error) {
    this.#dialer = undefined;
    this.#asking += 1;
    this.#retire();
    this.#state = CLOSED;
    setTimeout(() => this.#endWithout(error, null));
  }

  /** What becomes of a lost connection: `{ error, fate }`, and without a fate it is the end. */
  #lose(closeCode, { code: given, isByUs = false, ...fields }) {
    this.#heartbeat?.stop();
    const { connectGraceMs, isSingle } = this.#options;
    if (this.#state === CLOSING) {
      this.#state = CLOSED;
      return { error: null, fate: null };
    }
    const isEarly = !this.#wasOpen && performance.now() - this.#born < connectGraceMs;
    const usual = given ?? (this.#state === OPEN ? 'disconnected' : 'connect-failed');
    const { code = usual, status, floorMs, isFatal, asksAnew } = ruleOf(closeCode);
    const isFinal = isEarly || isFatal || asksAnew && (this.#isRefused || !this.#isAsked);
    this.#isRefused = Boolean(asksAnew);
    const attempts = this.#dialer?.attempt;
    const fate = isFinal ? undefined : this.#dialer?.lost(isByUs, floorMs);
    const known = { ...fields, status, closeCode: closeCode === ABNORMAL ? undefined : closeCode };
    if (fate) {
      this.#state = CONNECTING;
      return { error: lossOf(code, { ...known, attempts, retryable: true, ...fate }), fate };
    }
    this.#state = CLOSED;
    this.#stop();
    if (isFinal || isSingle) return { error: lossOf(isEarly ? 'connect-failed' : code, known), fate: null };
    return { error: lossOf('gave-up', { ...known, attempts, retryable: true, cause: lossOf(code, known) }), fate: null };
  }

  /** An end that no native socket tells. */
  #endWithout(error, fate) {
    if (this.#state === CLOSING) this.#state = CLOSED;
    this.dispatchEvent(errorEvent(error));
    // In the listener the page may have gone on by itself, or closed.
    if (this.#isLive) return;
    const hasClosed = this.#state === CLOSING;
    if (hasClosed) {
      clearTimeout(this.#ending);
      this.#state = CLOSED;
    }
    this.#tellClose({ code: ABNORMAL }, hasClosed ? null : fate, error);
  }

  #tellClose(init, fate, error) {
    const event = new CloseEvent('close', init);
    for (const [name, value] of Object.entries({ willReconnect: Boolean(fate), retryAt: fate?.retryAt ?? null, error })) {
      Object.defineProperty(event, name, { value });
    }
    this.dispatchEvent(event);
  }
}

shapeAs(ManagedWebSocket, 'WebSocket', {
  states: ['CONNECTING', 'OPEN', 'CLOSING', 'CLOSED'],
  types: ['open', 'message', 'error', 'close'],
  members: ['url', 'readyState', 'bufferedAmount', 'extensions', 'protocol', 'binaryType', 'send', 'close'],
});
