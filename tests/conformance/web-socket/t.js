// What a case works with.

import { Log, show } from './log.js';
import { claim } from './uncaught.js';

const POLL_MS = 4;

export class T {
  #sockets = [];
  #logs = [];
  #ids = new Map();
  #context;
  #isOver = false;

  constructor(context) {
    this.#context = context;
    /** The class under test. */
    this.WebSocket = context.Class;
  }

  /** Constructs one; whatever becomes of the case, it is closed afterwards. */
  open(url, protocols, options = this.#context.options) {
    const { Class } = this.#context;
    const socket = options === undefined ? new Class(url, protocols) : new Class(url, protocols, options);
    this.#sockets.push(socket);
    return socket;
  }

  /** A URL of the fixture server; what happens there is said by `script`, see script.js. */
  url(script = {}) {
    const id = `${this.#context.id}.${this.#ids.size}`;
    const url = `ws://127.0.0.1:${this.#context.port}/peer/${id}?${encodeURIComponent(JSON.stringify(script))}`;
    this.#ids.set(url, id);
    return url;
  }

  /** What the server saw of a URL that `url` gave; `go()` ends its waiting. */
  peer(url) {
    return this.#context.channel.peer(this.#ids.get(url));
  }

  /** Collects what happens on a socket, in order. */
  record(socket) {
    const log = new Log(socket, this);
    this.#logs.push(log);
    return log;
  }

  /** A socket to a peer of that script, with all that belongs to it. */
  connect(script, protocols) {
    const url = this.url(script);
    const socket = this.open(url, protocols);
    return { url, socket, log: this.record(socket), peer: this.peer(url) };
  }

  /** The same, once both ends know that it is open. */
  async connected(script, protocols) {
    const all = this.connect(script, protocols);
    await all.log.until('open');
    await this.until(() => all.peer.request, 'the handshake');
    return all;
  }

  async until(condition, what) {
    for (;;) {
      const value = condition();
      if (value) return value;
      if (this.#isOver) throw new Error(`waited in vain for ${what ?? condition}`);
      await new Promise((resolve) => { setTimeout(resolve, POLL_MS); });
    }
  }

  /** The page's Close frame, once the server has it; all that was sent before it is known then. */
  closeFrame(peer) {
    return this.until(() => peer.close, 'a Close frame at the server');
  }

  /** All that the server had sent or noted before has had the time to arrive. */
  async quiet() {
    await this.#context.channel.roundTrip();
    await new Promise((resolve) => { setTimeout(resolve); });
    await this.#context.channel.roundTrip();
  }

  /** Claims an error that a listener throws on purpose; `times` of what it gives says how often it was reported. */
  expectUncaught(error) {
    return claim(error);
  }

  /** Drops what nothing refers to. */
  collectGarbage() {
    return globalThis.collectGarbage();
  }

  ok(value, what) {
    if (!value) throw new Error(`${what}: got ${show(value)}`);
  }

  equal(actual, expected, what = 'value') {
    if (!Object.is(actual, expected)) throw new Error(`${what}: got ${show(actual)}, expected ${show(expected)}`);
  }

  /** By what they look like: for plain data. */
  same(actual, expected, what = 'value') {
    if (show(actual) !== show(expected)) throw new Error(`${what}: got ${show(actual)}, expected ${show(expected)}`);
  }

  /** `name`: of the DOMException, or `TypeError`. */
  throws(name, run, what = String(run)) {
    let error;
    try {
      run();
    } catch (thrown) {
      error = thrown;
    }
    if (!error) throw new Error(`${what}: threw nothing, expected ${name}`);
    this.equal(error.name, name, `${what}: threw`);
    this.ok(name === 'TypeError' ? error instanceof TypeError : error instanceof DOMException, `${what}: threw ${error}, is it of the right class`);
    return error;
  }

  /** For the message of a failure. */
  story() {
    this.#isOver = true;
    return this.#logs.map((log) => `\n    happened: ${show(log.story)}`).join('');
  }

  end() {
    this.#isOver = true;
    for (const socket of this.#sockets) socket.close();
  }
}
