// What the server saw, by the name in the scripted URL, and the gates that hold its responses back.

export class Journal {
  #entries = new Map();
  #sockets = new Map();
  #over = new Set();
  #gates = new Map();
  #waiting = new Set();

  /** Notes a request; `index` counts those that ask for the resource itself, not for leave to ask. */
  enter(name, { method, headers, socket }, body) {
    const entries = this.requests(name);
    const index = entries.filter((entry) => entry.method !== 'OPTIONS').length;
    const entry = { method, headers, body, at: performance.now(), hasLeft: false };
    this.#entries.set(name, [...entries, entry]);
    this.#sockets.set(socket, name);
    const hasLeft = new Promise((resolve) => {
      socket.once('close', () => {
        entry.hasLeft = true;
        this.#sockets.delete(socket);
        resolve();
        this.#look();
      });
    });
    this.#look();
    return { index, hasLeft };
  }

  requests(name) {
    return this.#entries.get(name) ?? [];
  }

  /** Resolves with the requests once there are `count` of them. */
  arrived(name, count) {
    return this.#until(() => this.requests(name).length >= count, name);
  }

  /** Resolves with the requests once `count` connections are over. */
  left(name, count) {
    return this.#until(() => this.requests(name).filter((entry) => entry.hasLeft).length >= count, name);
  }

  /**
   * Ends the connections of cases that are over, and lets them have no other: a class that does not close its own would else
   * take them from all cases that follow. A name is that of its case and a number.
   */
  dismiss(cases) {
    for (const each of cases) this.#over.add(each);
    for (const [socket, name] of this.#sockets) {
      if (this.isOver(name)) socket.destroy();
    }
  }

  isOver(name) {
    return this.#over.has(name.slice(0, name.lastIndexOf('.')));
  }

  gate(name, gate) {
    return this.#gate(name, gate).isOpen;
  }

  open(name, gate) {
    this.#gate(name, gate).open();
  }

  #gate(name, gate) {
    const key = `${name} ${gate}`;
    if (!this.#gates.has(key)) {
      let open;
      const isOpen = new Promise((resolve) => { open = resolve; });
      this.#gates.set(key, { isOpen, open });
    }
    return this.#gates.get(key);
  }

  #until(holds, name) {
    return new Promise((resolve) => {
      this.#waiting.add({ holds, done: () => resolve(this.requests(name)) });
      this.#look();
    });
  }

  #look() {
    for (const waiting of this.#waiting) {
      if (!waiting.holds()) continue;
      this.#waiting.delete(waiting);
      waiting.done();
    }
  }
}
