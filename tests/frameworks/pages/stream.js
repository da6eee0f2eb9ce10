// A stream in the test's hands, and a store made by hand: what a page needs to show that its adapter holds to the contract.

const frame = () => new Promise((resolve) => { requestAnimationFrame(resolve); });

/** What `client.adopt()` takes, and the verbs that feed it. */
export function talk() {
  let controller;
  const source = new ReadableStream({ start(made) { controller = made; } });
  const say = (...events) => { for (const event of events) controller.enqueue(event); };
  return {
    source,
    say,
    /** So many deltas of one word, twenty with each frame. */
    async drone(count) {
      for (let n = 0; n < count; n += 20) {
        await frame();
        say(...Array.from({ length: Math.min(20, count - n) }, (_, i) => ({ type: 'content', content: ` ${n + i}` })));
      }
      await frame();
      await frame();
    },
    /** One block, finished by a tool that has ended. */
    block: (text, callId) => say(
      { type: 'content', content: text },
      { type: 'tool_start', tool: { callId, name: 'look', arguments: '{}' } },
      { type: 'tool_end', tool: { callId, name: 'look', result: 'seen' } },
    ),
    end: () => say({ type: 'done' }),
  };
}

/** A store that counts who listens. `server`: what it begins with. */
export function makeStore(server) {
  const listeners = new Set();
  let snapshot = server;
  return {
    subscribe(fn) {
      listeners.add(fn);
      fn(snapshot);
      return () => listeners.delete(fn);
    },
    getSnapshot: () => snapshot,
    getServerSnapshot: () => server,
    set(next) {
      snapshot = next;
      for (const fn of [...listeners]) fn(next);
    },
    get listeners() { return listeners.size; },
  };
}

/** The sidebar's feed, by hand: `set(sessionId, status)`. */
export function makeActiveRuns() {
  const statuses = new Map();
  const store = makeStore(Object.freeze({ ready: false, runs: [] }));
  return {
    ...store,
    status: (sessionId) => statuses.get(sessionId),
    put(sessionId, status) {
      statuses.set(sessionId, status);
      store.set(Object.freeze({ ready: true, runs: [...statuses].map(([id, each]) => ({ sessionId: id, status: each })) }));
    },
    get listeners() { return store.listeners; },
  };
}

export { frame };
