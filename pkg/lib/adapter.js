// What all framework adapters share. They know the store contract, and that a client names runs, feeds and its badge.

/** The snapshot itself. */
export const whole = (snapshot) => snapshot;

/** What may change is given as a function. No store is one. */
export const valueOf = (source) => (typeof source === 'function' ? source() : source);

const nothing = () => null;
const NOTHING = { subscribe: (fn) => { fn(null); return () => {}; }, getSnapshot: nothing, getServerSnapshot: nothing };

/** The store of a run: what is one already, what the client has under this name, or one of nothing at all. */
export const runOf = (client, run) => (run == null ? NOTHING : 'subscribe' in run ? run : client.run(run));

/** One session's status in a snapshot of `activeRuns`; the server's has none. */
export const statusOf = (activeRuns, sessionId) => (snapshot) => (
  snapshot === activeRuns.getServerSnapshot() ? undefined : activeRuns.status(sessionId));
