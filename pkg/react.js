'use client';
// React 18 and 19. State and an effect, not useSyncExternalStore: that makes each of its updates synchronous, and while an answer streams there
// is one in every frame, so that a navigation in a transition begins to render anew in every frame and does not arrive. An ordinary
// update waits until the transition has rendered and goes on beside one that waits for data. Updates that are transitions
// themselves wait for that data, too: the text stands still. `tests/frameworks/react-choice.test.mjs` measures the three.
//
// What useSyncExternalStore is good for is done here: a component that was rendered before the latest change is brought up to date
// before it is painted, and a server's HTML meets the server's snapshot.
import { useEffect, useLayoutEffect, useRef, useState, useSyncExternalStore } from 'react';
import { runOf, statusOf, whole } from './lib/adapter.js';

// React 18 warns of layout effects on a server.
const useBeforePaint = typeof document === 'undefined' ? useEffect : useLayoutEffect;

// Only React knows whether it is hydrating, and this is how it tells.
const never = () => () => {};
const useIsHydrated = () => useSyncExternalStore(never, () => true, () => false);

export const useStore = (store, select = whole) => {
  const isHydrated = useIsHydrated();
  const [held, hold] = useState(() => ({ store, snapshot: isHydrated ? store.getSnapshot() : store.getServerSnapshot() }));
  const snapshot = held.store === store ? held.snapshot : store.getSnapshot();
  const selected = select(snapshot);
  const latest = useRef(null);      // what is shown, or is about to be

  const tell = (next) => {
    const now = latest.current.select(next);
    if (Object.is(now, latest.current.selected)) return;
    latest.current = { ...latest.current, selected: now };
    hold({ store, snapshot: next });
  };
  useBeforePaint(() => {
    latest.current = { select, selected };
    const next = store.getSnapshot();
    if (next !== snapshot) tell(next);
  });
  // Not before the paint: a connection is opened in here.
  useEffect(() => store.subscribe(tell), [store]);
  return selected;
};

export const useRun = (client, run) => useStore(runOf(client, run));

export const useActiveRuns = (client, options) => useStore(client.activeRuns(options));

export const useActiveRunStatus = (activeRuns, sessionId) => useStore(activeRuns, statusOf(activeRuns, sessionId));

export const useConnection = (client) => useStore(client.connection);
