// The client's one timer: one `setTimeout`, armed for the earliest deadline it was told. A deadline that moves later leaves it
// alone: it fires early, which is harmless, and is then armed anew. So a busy stream, whose silence deadline moves with every
// chunk, costs no timer calls.

// Beyond this browsers fire at once: wake earlier and look again.
const LONGEST_MS = 2 ** 31 - 1;

export class Alarm {
  #onFire;
  #armed = Infinity;
  #timer;

  constructor(onFire) {
    this.#onFire = onFire;
  }

  /** Fires at `deadline` or before; both in ms of one clock. */
  set(deadline, now) {
    if (deadline >= this.#armed) return;
    clearTimeout(this.#timer);
    this.#armed = deadline;
    this.#timer = setTimeout(() => {
      this.#armed = Infinity;
      this.#onFire();
    }, Math.min(Math.max(deadline - now, 0), LONGEST_MS));
  }

  clear() {
    clearTimeout(this.#timer);
    this.#armed = Infinity;
  }
}
