// Stores of live runs behind the expert's parser, told of each event or once a frame, for who renders them.
import { useSyncExternalStore } from 'react';

const follow = async (url, reader, told) => {
  const body = (await fetch(url)).body.getReader();
  for (;;) {
    const { done, value } = await body.read();
    if (done) return;
    reader.push(value);
    told();
  }
};

/** `open()`: a reader, `{ push, snapshot }`. */
export const createLiveStore = (url, open, isByFrame) => {
  const reader = open();
  const listeners = new Set();
  let snapshot = reader.snapshot();
  let isDue = false;
  const tell = () => {
    isDue = false;
    snapshot = reader.snapshot();
    for (const listener of listeners) listener();
  };
  follow(url, reader, () => {
    if (!isByFrame) return tell();
    if (!isDue) requestAnimationFrame(tell);
    isDue = true;
  });
  return {
    subscribe(listener) {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    getSnapshot: () => snapshot,
  };
};

export const useLiveStore = (store, select) => useSyncExternalStore(store.subscribe, () => select(store.getSnapshot()));
