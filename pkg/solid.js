// Solid. A store is a signal, and what is made of it a memo, so that only what depends on a change runs again. `from(run)` works, too.
import { createEffect, createMemo, createSignal, onCleanup, sharedConfig, untrack } from 'solid-js';
import { runOf, statusOf, valueOf, whole } from './lib/adapter.js';

export const useStore = (source, select = whole) => {
  const store = () => valueOf(source);
  // While a server's HTML is taken up, Solid has a context; on a server there is no document.
  const isServers = typeof document === 'undefined' || sharedConfig.context;
  const [shown, show] = createSignal(untrack(() => (isServers ? store().getServerSnapshot() : store().getSnapshot())));
  createEffect(() => {
    const now = store();
    onCleanup(untrack(() => now.subscribe((snapshot) => show(() => snapshot))));
  });
  return createMemo(() => select(shown()));
};

export const useRun = (client, run) => useStore(() => runOf(client, valueOf(run)));

export const useActiveRuns = (client, options) => useStore(client.activeRuns(options));

export const useActiveRunStatus = (activeRuns, sessionId) => useStore(activeRuns, (snapshot) => statusOf(activeRuns, valueOf(sessionId))(snapshot));

export const useConnection = (client) => useStore(client.connection);
