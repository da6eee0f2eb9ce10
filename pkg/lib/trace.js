// What happened to a run's connection: a store over the engine's ring. The engine writes it out while somebody
// reads, and once with the run's end.
import { createStore } from './store.js';

const KEPT = 128;
const NOTHING = Object.freeze([]);

/** `owner`: { isLive, setTracing(on), refresh() }. */
export const createTrace = (owner) => {
  const store = createStore(NOTHING, {
    onPace: (pace) => owner.setTracing(pace >= 0),
    onRead: () => { if (!store.isWatched()) owner.refresh(); },
  });
  return {
    store,
    /** Entries that are new, or come again with a new count. */
    apply(entries, toUnix) {
      const told = entries.map(({ at, ...entry }) => Object.freeze({ ...entry, at: toUnix(at) }));
      if (told.length === 0) return;
      const before = store.peek().filter(({ n }) => n < told[0].n);
      store.set(Object.freeze([...before, ...told].slice(-KEPT)));
    },
  };
};
