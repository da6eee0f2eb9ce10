// Sidebars under observation: everything that a user of activeRuns() could see, held against what it promises.

/** One store, watched by one subscriber. `lab` as in lab.js. */
export class Sidebar {
  violations = [];
  notifications = 0;
  frames = 0;
  mostInOneFrame = 0;
  errors = [];
  // Each time it changed.
  ready = [];
  states = [];
  #inThisFrame = 0;
  #isCounting = true;

  constructor(client, options) {
    this.store = client.activeRuns({ ...options, onError: ({ code, status, detail }) => this.errors.push({ code, status, detail }) });
    this.watch();
    const count = () => {
      this.frames += 1;
      this.#inThisFrame = 0;
      if (this.#isCounting) requestAnimationFrame(count);
    };
    requestAnimationFrame(count);
  }

  watch() {
    this.last = undefined;
    this.leave = this.store.subscribe((snapshot) => this.#check(snapshot));
  }

  close() {
    this.#isCounting = false;
    this.leave();
  }

  #expect(holds, what) {
    if (!holds && this.violations.length < 20) this.violations.push(what);
  }

  #check(next) {
    const before = this.last;
    this.last = next;
    this.notifications += 1;
    this.#inThisFrame += 1;
    this.mostInOneFrame = Math.max(this.mostInOneFrame, this.#inThisFrame);
    this.#expect(Object.isFrozen(next) && Object.isFrozen(next.runs) && next.runs.every(Object.isFrozen), 'something is not frozen');
    this.#expect(next === this.store.getSnapshot(), 'subscribe and getSnapshot disagree');
    this.#expect(next !== before, 'notified without a change');
    this.#expect(new Set(next.runs.map(({ sessionId }) => sessionId)).size === next.runs.length, 'a session has two rows');
    this.#expect(next.runs.every(({ sessionId, status }) => this.store.status(sessionId) === status), 'status() and the snapshot disagree');
    if (before) this.#compare(before.runs, next.runs);
    if (this.ready.at(-1) !== next.ready) this.ready.push(next.ready);
    if (this.states.at(-1) !== next.connection.state) this.states.push(next.connection.state);
  }

  #compare(before, next) {
    const old = new Map(before.map((run) => [run.sessionId, run]));
    for (const run of next) {
      const was = old.get(run.sessionId);
      const isEqual = was && was.runId === run.runId && was.status === run.status && was.updatedAt === run.updatedAt;
      this.#expect(!isEqual || was === run, 'an equal row was replaced');
    }
  }

  report() {
    const { violations, notifications, frames, mostInOneFrame, errors, ready, states } = this;
    const { connection, error, ...snapshot } = this.store.getSnapshot();
    return { violations, notifications, frames, mostInOneFrame, errors, ready, states, ...snapshot, state: connection.state, error: error && error.code };
  }
}
