// Svelte 5. Every store of ours is one of Svelte's, too: `$run` works as it is. These are for runes: `current` is reactive wherever it is
// read, subscribes while something on the page depends on it, and takes a function where what is shown may change.
import { createSubscriber } from 'svelte/reactivity';
import { runOf, statusOf, valueOf, whole } from './lib/adapter.js';

// Where there is no document, the subscriber does nothing either.
const read = (store) => (typeof document === 'undefined' ? store.getServerSnapshot() : store.getSnapshot());

export const useStore = (source, select = whole) => {
  let store = null;
  let subscribe;
  const watch = () => createSubscriber((update) => {
    let told;
    let tell = () => {};      // what the first call brings is read below, in the same turn
    const leave = store.subscribe((snapshot) => {
      const now = select(snapshot);
      if (Object.is(now, told)) return;
      told = now;
      tell();
    });
    tell = update;
    return leave;
  });
  return {
    get current() {
      const next = valueOf(source);
      if (next !== store) {
        store = next;
        subscribe = watch();
      }
      subscribe();
      return select(read(store));
    },
  };
};

export const useRun = (client, run) => useStore(() => runOf(client, valueOf(run)));

export const useActiveRuns = (client, options) => useStore(client.activeRuns(options));

export const useActiveRunStatus = (activeRuns, sessionId) => useStore(activeRuns, (snapshot) => statusOf(activeRuns, valueOf(sessionId))(snapshot));

export const useConnection = (client) => useStore(client.connection);
