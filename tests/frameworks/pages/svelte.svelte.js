// The Svelte adapter in a page: as react.jsx.
import { flushSync, hydrate, mount, unmount } from 'svelte';
import { RunClient } from 'steadystream';
import Answer from './svelte/Answer.svelte';
import Chat from './svelte/Chat.svelte';
import Plain from './svelte/Plain.svelte';
import Rows from './svelte/Rows.svelte';
import Values from './svelte/Values.svelte';
import { frame, makeActiveRuns, makeStore, talk } from './stream.js';

const renders = {};
const count = (what, value) => {
  renders[what] = (renders[what] ?? 0) + 1;
  return value;
};
const ids = new WeakMap();
const see = (block) => {
  if (!ids.has(block)) ids.set(block, `${block.seq}#${block.state}#${block.text.length}`);
  return count(ids.get(block), block.text);
};

const views = { Answer, Chat, Plain, Rows, Values };
let mounted = [];
globalThis.app = {
  renders, frame, talk, makeStore, makeActiveRuns, RunClient,
  async mount(list, { isHydrating = false } = {}) {
    // The store contract is the store's own business: nothing of it becomes a proxy.
    let props = $state.raw({});
    app.set = (more) => { props = { ...props, ...more }; };
    mounted = list.map(([name, own]) => (isHydrating ? hydrate : mount)(views[name], {
      target: document.getElementById('root'), props: { get props() { return { ...own, ...props }; }, see, count },
    }));
    flushSync();
    await frame();
    await frame();
  },
  unmount: () => Promise.all(mounted.map((one) => unmount(one))),
};
