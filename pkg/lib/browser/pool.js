// So many connections may be open at once: in this page, or in all tabs of the origin, where a lock stands for each.

/** As many as there are of in one page. */
export class PagePool {
  #left;
  #waiting = [];

  constructor(limit) {
    this.#left = limit;
  }

  /** What gives the place back, or `null` where there is none. */
  take() {
    if (this.#left === 0) return null;
    this.#left -= 1;
    return this.#release();
  }

  /** The same, as soon as there is one. */
  wait() {
    const given = this.take();
    return given ? Promise.resolve(given) : new Promise((resolve) => { this.#waiting.push(resolve); });
  }

  #release() {
    let isBack = false;
    return () => {
      if (isBack) return;
      isBack = true;
      const next = this.#waiting.shift();
      if (next) next(this.#release());
      else this.#left += 1;
    };
  }
}

/** The same across tabs. Both methods give promises. */
export class TabsPool {
  #names;

  constructor(name, limit) {
    this.#names = Array.from({ length: limit }, (_, i) => `${name}/${i}`);
  }

  async take() {
    for (const name of this.#names) {
      const given = await hold(name, { ifAvailable: true });
      if (given) return given;
    }
    return null;
  }

  wait() {
    const losers = new AbortController();
    return new Promise((resolve) => {
      let isServed = false;
      for (const name of this.#names) {
        hold(name, { signal: losers.signal }).then((given) => {
          if (!given) return;
          // Two may come at once.
          if (isServed) {
            given();
            return;
          }
          isServed = true;
          losers.abort();
          resolve(given);
        });
      }
    });
  }
}

/** Holds a lock until what it gives is called; gives `null` where it is not to be had. */
const hold = (name, options) => new Promise((resolve) => {
  const keep = (lock) => (lock ? new Promise((release) => { resolve(() => release()); }) : resolve(null));
  navigator.locks.request(name, options, keep).catch(() => resolve(null));
});
