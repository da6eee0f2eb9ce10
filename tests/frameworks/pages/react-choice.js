// Three ways to bring a store into React, each under the same load: a store that changes in every frame while the page navigates.
import { Suspense, createElement as h, memo, startTransition, use, useEffect, useState, useSyncExternalStore } from 'react';
import { createRoot } from 'react-dom/client';
import { useStore as ours } from 'steadystream/react';

const WAYS = {
  ours,
  external: (store, select) => useSyncExternalStore(store.subscribe, () => select(store.getSnapshot())),
  transition: (store, select) => {
    const [snapshot, hold] = useState(store.getSnapshot);
    useEffect(() => store.subscribe((next) => startTransition(() => hold(next))), [store]);
    return select(snapshot);
  },
};

const makeStore = () => {
  const listeners = new Set();
  let snapshot = Object.freeze({ n: 0, status: 'streaming' });
  return {
    getSnapshot: () => snapshot,
    getServerSnapshot: () => snapshot,
    subscribe(fn) {
      listeners.add(fn);
      fn(snapshot);
      return () => listeners.delete(fn);
    },
    set(next) {
      snapshot = Object.freeze(next);
      for (const fn of [...listeners]) fn(snapshot);
    },
  };
};

const work = (ms) => {
  const end = performance.now() + ms;
  while (performance.now() < end);
};
const ROWS = 60;
const ROW_MS = 3;
const FRAMES = 30;
const frame = () => new Promise((resolve) => { requestAnimationFrame(resolve); });
const painted = async () => {
  await frame();
  await new Promise((resolve) => { setTimeout(resolve, 0); });
};

/**
 * Renders with one way, navigates as `to` says, and gives what was seen: how often the new page began to render, when it had arrived
 * (`null`: not by the time it had begun more than `limit` times), in how many frames the text was another than before, in how many
 * two components did not agree, and by how much the new page's text was behind when it was first painted.
 */
async function navigate(way, to, limit) {
  const useStore = WAYS[way];
  const store = makeStore();
  const seen = { starts: 0, arrivedMs: null, changes: 0, torn: 0, behind: null };
  const data = Promise.withResolvers();
  let go;

  const Text = ({ id }) => h('p', { id }, useStore(store, ({ n }) => n));
  const Status = () => h('i', { id: 'status' }, useStore(store, ({ status }) => status));
  const Row = memo(({ i }) => {
    if (i === 0) seen.starts += 1;
    work(ROW_MS);
    return null;
  });
  const Slow = () => [h(Text, { id: 'new', key: 'new' }), ...Array.from({ length: ROWS }, (_, i) => h(Row, { i, key: i })), h('b', { id: 'done', key: 'done' })];
  const Waiting = () => {
    use(data.promise);
    return h('b', { id: 'done' });
  };
  const Page = () => {
    const [place, setPlace] = useState('home');
    go = () => startTransition(() => setPlace(to));
    return h('main', null, h(Text, { id: 'old' }), h(Status), place === 'slow' && h(Slow), place === 'waiting' && h(Waiting));
  };

  const host = document.getElementById('root').appendChild(document.createElement('div'));
  const root = createRoot(host);
  root.render(h(Suspense, { fallback: 'never' }, h(Page)));
  const text = (id) => host.querySelector(`#${id}`)?.textContent;
  while (text('old') === undefined) await frame();
  await painted();

  // The store ticks in a frame's callback, as ours do, and what the frame before has painted is noted first.
  let n = 0;
  let shown = text('old');
  const begun = performance.now();
  const spent = () => performance.now() - begun;
  go();
  while (seen.arrivedMs === null && seen.starts <= limit) {
    await frame();
    if (text('old') !== shown) seen.changes += 1;
    shown = text('old');
    if (text('new') !== undefined && text('new') !== shown) seen.torn += 1;
    if (host.querySelector('#done')) {
      seen.arrivedMs = spent();
      if (to === 'slow') seen.behind = n - Number(text('new'));
    }
    if (to === 'waiting' && n === FRAMES) data.resolve();
    n += 1;
    store.set({ n, status: 'streaming' });
  }
  // Status and text are two components: whenever one of them has changed, so has the other.
  const ends = [];
  const observer = new MutationObserver(() => ends.push([text('status'), text('old')]));
  observer.observe(host, { subtree: true, characterData: true, childList: true });
  store.set({ n: 'all', status: 'completed' });
  while (text('status') !== 'completed') await frame();
  await painted();
  seen.end = ends.filter(([status]) => status === 'completed');
  root.unmount();
  host.remove();
  return seen;
}

globalThis.app = { navigate };
