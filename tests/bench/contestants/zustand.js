// The expert's parser in front of a zustand store: each event is a `setState`, with a reducer that copies what it changes.
import { createParser } from 'eventsource-parser';
import { createStore } from 'zustand/vanilla';
import { INITIAL, reduce } from '../lib/reduce.js';

const create = () => {
  const store = createStore(() => INITIAL);
  const decoder = new TextDecoder();
  const parser = createParser({
    onEvent({ event, data }) {
      const payload = JSON.parse(data);
      store.setState((state) => reduce(state, payload.type || event, payload));
    },
  });
  return { store, push: (bytes) => parser.feed(decoder.decode(bytes, { stream: true })) };
};

export default {
  name: 'zustand',
  title: 'zustand (a store per run, a setState per event)',
  role: 'peer',

  open() {
    const { store, push } = create();
    return { push, snapshot: store.getState, close() {} };
  },

  async live(url, notify) {
    const { store, push } = create();
    store.subscribe(notify);
    const body = (await fetch(url)).body.getReader();
    for (;;) {
      const { done, value } = await body.read();
      if (done) return;
      push(value);
    }
  },
};
