// A client's side of the engine: the one place where the raw host is called, where a flush is taken apart, and from where
// user code is told. Holders are what a slot's deltas go to: runs and low-level subscriptions.
//
// Order, always: call the engine, apply what it has to say, and only then, outside of any call, tell listeners.
import { Driver, clock } from './browser/driver.js';
import { SteadyStreamError, toError } from './errors.js';
import { engine, guard, lives } from './instance.js';
import { headerSource } from './headers.js';
import { readFlush, skipText } from './delta.js';
import { summarize } from './connection.js';
import { createStore } from './store.js';
import { CLOSED } from './snapshot.js';

export class Feed {
  #options;
  #raw = null;
  #driver = null;
  #failure = null;
  #holders = new Map();       // slot -> holder
  #asks = new Map();          // ticket -> { resolve, reject }
  #changed = new Set();       // holders whose listeners have not been told yet
  #isScheduled = false;
  #clockOffset = 0;           // unix ms minus engine ms, as of the latest flush

  #hasUrgentStates = false;

  connection = createStore(CLOSED, {
    onPace: (pace) => {
      this.#hasUrgentStates = pace === 0;
      this.tell((raw) => raw.watchStates(this.#hasUrgentStates));
    },
    onRead: () => this.#refresh(),
  });

  /** `options`: what parseOptions gave. Touches nothing: on a server a client may be made and never used. */
  constructor(options) {
    this.#options = options;
  }

  toUnix = (ms) => (ms == null ? null : Math.round(ms + this.#clockOffset));

  get isOver() {
    return this.#failure !== null;
  }

  // The first use makes the raw host, and the wasm instance with it.
  #engine() {
    if (this.#failure) throw this.#failure;
    if (this.#driver === null) {
      const { RawHost } = engine();
      const { raw, numbers, headers } = this.#options;
      this.#raw = guard(() => new RawHost(numbers, Math.random()));
      if (this.#hasUrgentStates) this.#raw.watchStates(true);
      this.#driver = guard(() => new Driver(this.#raw, raw, headerSource(headers), (isFrame) => this.wake(isFrame)));
      lives.add(this);
    }
    return this.#driver;
  }

  /** Whether there is an engine, or can be one now. */
  isReady() {
    try {
      this.#engine();
      return true;
    } catch {
      return false;
    }
  }

  /** The driver's call, with a frame, or before it for what is urgent. Nothing may be thrown into it. */
  wake(isFrame) {
    if (this.#driver === null) return;
    try {
      this.#pull();
    } catch {
      return;      // a crash: everyone is told in a microtask
    }
    this.#deliver(isFrame);
  }

  #pull() {
    this.#apply(this.#driver.flush());
  }

  // Somebody reads the badge between two frames: what it is now, and nobody is told in here.
  #refresh() {
    if (this.#driver !== null) this.#pull();
    if (this.#changed.size === 0) return;
    this.#summarize();
    this.#deliverSoon();
  }

  #summarize() {
    this.connection.set(summarize(this.connection.peek(), this.#holders.values(), this.#changed));
  }

  // A flush that cannot be applied is the engine's fault as much as a trap, and must not leave anyone waiting either.
  #apply(flush) {
    if (flush === '') return;
    guard(() => {
      this.#clockOffset = Date.now() - clock();
      const { deltas, take } = readFlush(flush);
      for (const delta of deltas) {
        if (delta.ask !== undefined) {
          this.#answer(delta);
          continue;
        }
        const holder = this.#holders.get(delta.slot);
        if (!holder) {
          skipText(delta, take);
          continue;
        }
        holder.apply(delta, take);
        this.#changed.add(holder);
      }
    });
  }

  #answer({ ask, ok, body, error }) {
    const waiting = this.#asks.get(ask);
    this.#asks.delete(ask);
    if (ok) waiting?.resolve(body);
    else waiting?.reject(toError(error));
  }

  // A flush before the frame brings along what nobody was in a hurry for: its listeners hear of that with the frame.
  #deliver(isFrame) {
    const changed = this.#changed;
    if (changed.size > 0) {
      this.#summarize();
      this.#changed = new Set();
    }
    for (const holder of changed) if (holder.deliver(isFrame)) this.#changed.add(holder);
    if (this.connection.deliver(isFrame) || this.#changed.size > 0) this.#driver?.requestFrame();
  }

  // What a user's own call changed is in the snapshots at once, and told when that call has returned.
  #deliverSoon() {
    if (this.#isScheduled || this.#changed.size === 0) return;
    this.#isScheduled = true;
    queueMicrotask(() => {
      this.#isScheduled = false;
      this.#deliver(true);
    });
  }

  /** Starts something in the engine; its slot's deltas go to `holder` from now on. */
  open(holder, begin) {
    this.#engine().begin(begin, (slot) => {
      holder.slot = slot;
      this.#holders.set(slot, holder);
    });
    this.#follow();
  }

  /** Bytes that the engine holds of this holder's text. */
  heldBytes({ slot }) {
    return slot && this.#driver ? this.#driver.call((raw) => raw.held(slot)) : 0;
  }

  /** This holder's run as JSON, for another page; empty if there is nothing new. */
  store({ slot }) {
    try {
      return slot && this.#driver ? this.#driver.call((raw) => raw.store(slot)) : '';
    } catch {
      return '';      // a crash: everyone is told in a microtask
    }
  }

  /** What opens the stream of the run that will ask for it under `key`. */
  adopt(key, open) {
    this.#engine().adopt(key, open);
  }

  /** A call that changes something: its consequences are pulled at once. */
  act(call) {
    this.tell(call);
    this.#follow();
  }

  // What a call of ours brought about. It may have called out to a page that closed this client: then all is told already.
  #follow() {
    if (this.#driver === null) return;
    this.#pull();
    this.#deliverSoon();
  }

  /** A call that changes nothing which a snapshot shows. After the end of this client or of the engine it is void. */
  tell(call) {
    this.#driver?.call(call);
  }

  /** A request with one answer. `call(raw, now)` gives the ticket. */
  ask(call) {
    return new Promise((resolve, reject) => {
      this.#engine().call(call, (ticket) => this.#asks.set(ticket, { resolve, reject }));
      this.#follow();
    });
  }

  /** What is at a path below the base URL: asked for again while that may help, unless nobody waits for it any more. */
  page(path, signal) {
    return new Promise((resolve, reject) => {
      const abort = (ticket) => {
        if (!this.#asks.delete(ticket)) return;
        this.act((raw) => raw.forget(ticket));
        reject(new SteadyStreamError('aborted'));
      };
      // It waits for the network, so the page is watched.
      this.#engine().begin((raw, now) => raw.page(path, now), (ticket) => {
        const onAbort = () => abort(ticket);
        // The signal lives as long as its list, whose pages are many.
        const once = (settle) => (value) => {
          signal.removeEventListener('abort', onAbort);
          settle(value);
        };
        this.#asks.set(ticket, { resolve: once(resolve), reject: once(reject) });
        signal.addEventListener('abort', onAbort, { once: true });
      });
      this.#follow();
    });
  }

  /** Something about this holder has changed that the engine did not say. */
  note(holder) {
    this.#changed.add(holder);
    this.#deliverSoon();
  }

  /** Brings an unwatched holder up to date. */
  read(holder) {
    if (this.#driver === null) return;
    this.#apply(this.#driver.read(holder.slot));
    holder.handleRead();
    this.#deliverSoon();
  }

  release(holder) {
    const { slot } = holder;
    holder.slot = 0;
    if (!this.#holders.delete(slot)) return;
    this.tell((raw, now) => raw.release(slot, now));
    this.#driver?.disown({ slot, key: holder.key });
  }

  /** The live runs: what may be opened again is what has a stream. */
  runs() {
    return [...this.#holders.values()].filter((holder) => holder.stream);
  }

  /** Everything live ends as if closed one by one; what was asked is answered; nothing opens again. */
  close() {
    if (this.#failure) return;
    this.#failure = new SteadyStreamError('invalid-state', { got: 'the client is closed', expected: 'an open one' });
    lives.delete(this);
    const [raw, driver] = [this.#raw, this.#driver];
    if (driver === null) return;
    try {
      driver.call((host, now) => host.shutdown(now));
      this.#pull();
      for (const holder of [...this.#holders.values()]) holder.detach();
    } catch {
      return;        // crashed on the way out: crash() has settled everything
    }
    driver.close();
    this.#driver = null;
    this.#holders.clear();
    this.#abandonAsks(new SteadyStreamError('aborted'));
    this.#deliverSoon();
    // Outside of any call of ours: close() may itself be running inside wake().
    queueMicrotask(() => {
      try {
        guard(() => raw.free());
      } catch {
        // The instance has died since: nobody is owed anything here any more.
      }
    });
  }

  /** The instance is dead: settle everything from here, close the transports from here, and never call it again. */
  crash(error) {
    this.#failure = error;
    this.#driver.close();
    this.#driver = null;
    const holders = [...this.#holders.values()];
    this.#holders.clear();
    for (const holder of holders) {
      holder.crash(error);
      this.#changed.add(holder);
    }
    this.#abandonAsks(error);
    this.connection.set(Object.freeze({ ...CLOSED, state: 'failed', error }));
    queueMicrotask(() => {
      this.connection.finish();
      for (const holder of holders) holder.deliver(true);
    });
  }

  #abandonAsks(error) {
    for (const { reject } of this.#asks.values()) reject(error);
    this.#asks.clear();
  }
}
