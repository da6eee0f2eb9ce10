// Vue 3. A store is a shallow ref: snapshots are frozen, and what changes in them is another object. What is made of it is computed, so that
// a template renders only when that changes. Left with its scope.
import { computed, getCurrentInstance, onMounted, shallowRef, toValue, watch } from 'vue';
import { runOf, statusOf, whole } from './lib/adapter.js';

const isServer = typeof document === 'undefined';

export const useStore = (source, select = whole) => {
  const store = () => toValue(source);
  // Where a server's HTML is taken up, the component has an element before its first render.
  const isHydrating = !isServer && getCurrentInstance()?.vnode.el != null;
  const shown = shallowRef(isServer || isHydrating ? store().getServerSnapshot() : store().getSnapshot());
  const start = () => watch(store, (now, _, onCleanup) => {
    onCleanup(now.subscribe((snapshot) => { shown.value = snapshot; }));
  }, { immediate: true, flush: 'sync' });
  if (isHydrating) onMounted(start);
  else if (!isServer) start();
  return computed(() => select(shown.value));
};

export const useRun = (client, run) => useStore(() => runOf(client, toValue(run)));

export const useActiveRuns = (client, options) => useStore(client.activeRuns(options));

export const useActiveRunStatus = (activeRuns, sessionId) => useStore(activeRuns, (snapshot) => statusOf(activeRuns, toValue(sessionId))(snapshot));

export const useConnection = (client) => useStore(client.connection);
