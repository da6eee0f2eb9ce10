// The views of a client: one for each name, whoever asks. Those that nobody looks at are kept for whoever comes back, a few of them.
import { RunView } from './run-view.js';

const KEPT_IDLE = 32;

export class RunViews {
  #views = new Map();       // name -> view, the one that was asked for longest ago first

  /** The store of this run's view; `options` are those of the first who asks. `client`: see RunView. */
  get({ sessionId, runId }, options, client) {
    const name = JSON.stringify([sessionId, runId]);
    const enlist = (view) => { if (!this.#views.has(name)) this.#views.set(name, view); };
    const view = this.#views.get(name) ?? new RunView({ sessionId, runId }, options, { ...client, enlist });
    this.#views.delete(name);
    this.#views.set(name, view);
    this.#dropOldest();
    return view.store;
  }

  /** A run has begun. */
  announce(stream, fits) {
    for (const view of this.#views.values()) if (fits(view.key)) view.follow(stream);
  }

  /** Those of whole sessions that show no run that goes on. */
  get waiting() {
    return [...this.#views.values()].filter((view) => view.isWaiting);
  }

  areHolding(stream) {
    return [...this.#views.values()].some((view) => view.holds(stream));
  }

  // Without an end of a grace to come: a timer would keep what is over.
  clear() {
    for (const view of this.#views.values()) view.rest();
    this.#views.clear();
  }

  #dropOldest() {
    const idle = [...this.#views].filter(([, view]) => view.isIdle);
    for (const [name] of idle.slice(0, -KEPT_IDLE)) this.#views.delete(name);
  }
}
