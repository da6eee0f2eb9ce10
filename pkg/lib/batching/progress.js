// How far a batcher or a generation is, as a store. What it shows is looked up only when somebody looks.
import { onFrame } from '../browser/frame.js';
import { createStore } from '../store.js';

export class Progress {
  #look;
  #store;
  #isStale = false;
  #isScheduled = false;
  #cancelFrame = null;

  /** `look()`: what is to be shown now. */
  constructor(look) {
    this.#look = look;
    this.#store = createStore(Object.freeze(look()), { onRead: () => this.#refresh() });
  }

  /** Puts the store's contract on the object that the page has. */
  lend(owner) {
    const { subscribe, getSnapshot, getServerSnapshot } = this.#store;
    Object.assign(owner, { subscribe, getSnapshot, getServerSnapshot });
  }

  /** Something has changed. */
  note() {
    this.#isStale = true;
    if (this.#isScheduled || !this.#store.isWatched()) return;
    this.#isScheduled = true;
    // Not within the call that changed it.
    queueMicrotask(() => {
      this.#isScheduled = false;
      this.#tell(false);
    });
  }

  /** Nothing will change any more. */
  end() {
    this.note();
    queueMicrotask(() => {
      this.#cancelFrame?.();
      this.#refresh();
      this.#store.finish();
    });
  }

  #tell(isFrame) {
    this.#refresh();
    if (!this.#store.deliver(isFrame)) return;
    this.#cancelFrame ??= onFrame(() => {
      this.#cancelFrame = null;
      this.#tell(true);
    });
  }

  #refresh() {
    if (!this.#isStale) return;
    this.#isStale = false;
    const [next, before] = [this.#look(), this.#store.peek()];
    if (Object.keys(next).some((name) => next[name] !== before[name])) this.#store.set(Object.freeze(next));
  }
}
