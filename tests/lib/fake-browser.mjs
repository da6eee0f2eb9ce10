// Tabs of one origin in virtual time: their tasks, timers, Web Locks and BroadcastChannels, as the specifications have them. What
// comes from one sender comes in order; between senders, timers and the network chance decides. A tab may hang (its tasks wait, and
// all run when it is back) and die without a word.
//
// Whatever asks for a global in here is answered for the tab whose task runs.

const REAL = ['setTimeout', 'clearTimeout', 'performance', 'navigator', 'BroadcastChannel'];

export class Tab {
  isDead = false;
  hungUntil = 0;
  /** The locks that it has lost and does not know of yet. */
  robbed = new Set();
  channels = new Set();
  /** Of what was asked for under it and has not run yet, in order. */
  queues = new Map();
  #browser;
  #origin;

  constructor(browser, name) {
    this.#browser = browser;
    this.name = name;
    // No two tabs have begun at once: nothing of one's clock may mean anything to another.
    this.#origin = browser.chance.between(1, 100_000);
  }

  get clock() {
    return this.#origin + this.#browser.now;
  }

  /** Runs `fn` as a task of this tab `ms` from now, behind all else of this source. */
  post(source, fn, ms = this.#browser.latency()) {
    if (this.isDead) return;
    const queue = this.queues.get(source) ?? [];
    const at = Math.max(this.#browser.now + ms, queue.at(-1)?.at ?? 0);
    queue.push({ at, fn });
    this.queues.set(source, queue);
  }

  hang(ms) {
    this.hungUntil = Math.max(this.hungUntil, this.#browser.now + ms);
  }

  get isHung() {
    return this.hungUntil > this.#browser.now;
  }

  /** Nothing of it runs any more; what it has said is still heard. */
  die() {
    this.isDead = true;
    this.queues.clear();
    this.channels.clear();
    this.#browser.locks.forget(this);
  }
}

/** A BroadcastChannel for the tab that runs. */
const channelClass = (browser) => class {
  onmessage = null;
  #tab = browser.current;
  #isClosed = false;

  constructor(name) {
    this.name = name;
    this.#tab.channels.add(this);
  }

  postMessage(data) {
    if (this.#isClosed) throw new DOMException('closed', 'InvalidStateError');
    const copy = structuredClone(data);
    browser.spy?.(this.#tab, copy);
    for (const tab of browser.tabs) {
      for (const channel of tab.channels) {
        if (channel !== this && channel.name === this.name) {
          tab.post(browser.isOrdered ? 'channel' : `channel of ${this.#tab.name}`, () => {
            if (!tab.channels.has(channel)) return;
            channel.onmessage?.({ data: copy });
            // What waited for it may be a lock to be given back.
            browser.isUnsettled ||= copy?.kind === 'echo';
          });
        }
      }
    }
  }

  close() {
    this.#isClosed = true;
    this.#tab.channels.delete(this);
  }
};

/** Exclusive locks: asked for in one place that never hangs, granted by a task of the tab. */
class Locks {
  held = new Map();            // name -> request
  waiting = new Map();         // name -> requests
  isRefused = false;
  /** Who has lost a lock to another. */
  robbed = [];
  #browser;

  constructor(browser) {
    this.#browser = browser;
  }

  request(name, { steal = false, ifAvailable = false, signal }, callback) {
    const tab = this.#browser.current;
    const request = { name, tab, callback, signal, isOver: false };
    const result = new Promise((resolve, reject) => Object.assign(request, { resolve, reject }));
    const fail = (code) => {
      if (request.isOver) return;
      request.isOver = true;
      tab.post('locks', () => {
        tab.robbed.delete(request);
        request.reject(new DOMException(code, code));
      });
    };
    request.fail = fail;
    if (signal && (steal || ifAvailable)) throw new Error('a lock cannot be waited for and taken');
    if (this.isRefused) {
      fail('SecurityError');
      return result;
    }
    // Only what waits can be given up: what is granted already is not touched by it.
    signal?.addEventListener('abort', () => this.#later(tab, () => {
      const queue = this.#queue(name);
      if (!queue.includes(request)) return;
      queue.splice(queue.indexOf(request), 1);
      fail('AbortError');
    }));
    this.#later(tab, () => {
      if (tab.isDead) return;
      if (steal) {
        const robbed = this.held.get(name);
        this.held.delete(name);
        if (robbed) this.#rob(robbed);
        this.#queue(name).unshift(request);
      } else if (ifAvailable && (this.held.has(name) || this.#queue(name).length > 0)) {
        request.isOver = true;
        tab.post('locks', () => callback(null));
        return;
      } else {
        this.#queue(name).push(request);
      }
      this.#grant(name);
    });
    return result;
  }

  holderOf(name) {
    return this.held.get(name)?.tab;
  }

  /** Of a tab that is gone nothing is left: its locks a little later than its tasks. */
  forget(tab) {
    this.#later(tab, () => {
      for (const queue of this.waiting.values()) {
        for (const request of queue.filter((one) => one.tab === tab)) queue.splice(queue.indexOf(request), 1);
      }
      for (const [name, request] of this.held) if (request.tab === tab) this.#release(name, request);
    });
  }

  get isIdle() {
    return this.held.size === 0 && [...this.waiting.values()].every((queue) => queue.length === 0);
  }

  #rob(request) {
    const { tab } = request;
    this.robbed.push(tab);
    tab.robbed.add(request);
    request.fail('AbortError');
  }

  #queue(name) {
    if (!this.waiting.has(name)) this.waiting.set(name, []);
    return this.waiting.get(name);
  }

  #later(tab, fn) {
    this.#browser.keeper.post(`locks of ${tab.name}`, fn);
  }

  #release(name, request) {
    if (this.held.get(name) !== request) return;
    this.held.delete(name);
    request.isOver = true;
    this.#grant(name);
  }

  #grant(name) {
    const queue = this.#queue(name);
    if (this.held.has(name) || queue.length === 0) return;
    const request = queue.shift();
    this.held.set(name, request);
    request.tab.post('locks', () => {
      const release = () => this.#later(request.tab, () => this.#release(name, request));
      if (request.signal?.aborted) {
        release();
        return;
      }
      Promise.resolve(request.callback({ name })).then(release);
    });
  }
}

export class Browser {
  now = 0;
  current = null;
  tabs = [];
    /** Whether all tabs hear everything in the order in which it was said. */
  isOrdered = false;
  mostLatency = 3;
  spy = null;
  /** Whether a lock has just been given back. */
  isUnsettled = false;
  #restore = [];
  #nextTimer = 1;

  constructor(chance) {
    this.chance = chance;
    /** What belongs to no tab: the locks' own book, the server, the weather. */
    this.keeper = new Tab(this, 'keeper');
    this.locks = new Locks(this);
  }

  latency() {
    return this.chance.next() * this.mostLatency;
  }

  add(name) {
    const tab = new Tab(this, name);
    this.tabs.push(tab);
    return tab;
  }

  /** Puts its globals in the place of Node's, until `uninstall`. */
  install() {
    const browser = this;
    const fakes = {
      setTimeout: (fn, ms = 0) => {
        const tab = this.current;
        const id = this.#nextTimer++;
          tab.post(`timer ${id}`, fn, Math.max(ms, 0));
        return { tab, id };
      },
      clearTimeout: (timer) => {
        timer?.tab.queues.delete(`timer ${timer.id}`);
      },
      performance: { now: () => this.current.clock },
      navigator: { get locks() { return browser.locks; } },
      BroadcastChannel: channelClass(this),
    };
    for (const name of REAL) {
      this.#restore.push([name, Object.getOwnPropertyDescriptor(globalThis, name)]);
      Object.defineProperty(globalThis, name, { value: fakes[name], configurable: true, writable: true });
    }
    const { random } = Math;
    Math.random = () => this.chance.next();
    this.#restore.push(['random', random]);
  }

  uninstall() {
    for (const [name, real] of this.#restore) {
      if (name === 'random') Math.random = real;
      else if (real) Object.defineProperty(globalThis, name, real);
      else delete globalThis[name];
    }
    this.#restore = [];
  }

  /** Runs `fn` as a task of `tab`, now, and what it leaves to be done behind it; gives what `fn` gives. */
  async run(tab, fn) {
    const given = this.#play(tab, fn);
    await this.#settle(tab);
    return given;
  }

  #play(tab, fn) {
    this.current = tab;
    try {
      return fn();
    } finally {
      this.current = null;
    }
  }

  async #settle(tab) {
    this.isUnsettled = false;
    this.current = tab;
    for (let turns = 0; turns < 4; turns += 1) await null;
    this.current = null;
  }

  /** Lets `ms` pass, or time until `isDone()`; gives whether it was. */
  async pass(ms, isDone = () => false) {
    const end = this.now + ms;
    let steps = 0;
    for (;;) {
      if (isDone()) return true;
      const due = [];
      let next = end;
      for (const tab of [this.keeper, ...this.tabs]) {
        for (const [source, queue] of tab.queues) {
          const at = Math.max(queue[0].at, tab.hungUntil);
          if (at <= this.now) due.push([tab, source, queue]);
          else next = Math.min(next, at);
        }
      }
      if (due.length === 0) {
        if (this.now >= end) return false;
        this.now = next;
        continue;
      }
      const [tab, source, queue] = this.chance.pick(due);
      const { fn } = queue.shift();
      if (queue.length === 0) tab.queues.delete(source);
      this.#play(tab, fn);
      steps += 1;
      // Promises are all about locks. To wait for them behind every task costs more than all the rest.
      if (source === 'locks' || this.isUnsettled || steps % 100 === 0) await this.#settle(tab);
    }
  }
}
