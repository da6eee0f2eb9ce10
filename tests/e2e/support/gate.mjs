// Where a server's answer waits while its test has something to do in the middle of it.

export class Gate {
  #isOpen = Promise.resolve();
  #open = () => {};

  /** Whoever comes to pass() waits. */
  close() {
    this.#isOpen = new Promise((resolve) => { this.#open = resolve; });
  }

  open() {
    this.#open();
  }

  pass() {
    return this.#isOpen;
  }
}
