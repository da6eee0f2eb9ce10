// A page as React renders it: a row for each run, with the last words of its answer, and one message, whole.
import { createElement as h, memo } from 'react';
import { createRoot } from 'react-dom/client';
import { IN_SIGHT, lineOf } from './shown.js';

const ROW_HEIGHT = 24;
const whole = (snapshot) => snapshot;

const Part = memo(({ part }) => {
  if (part.type === 'text') return h('p', null, part.text);
  return part.type === 'reasoning' ? h('em', null, part.text) : h('code', null, `${part.name} ${part.state}`);
});

/** `useStore(store, select)`: the contestant's way from a store to a component. */
export const mount = (stores, useStore) => {
  const Row = memo(({ store }) => h('li', { style: { height: ROW_HEIGHT } }, useStore(store, lineOf)));
  const Message = ({ store }) => h('main', null, useStore(store, whole).parts.map((part, i) => h(Part, { key: i, part })));
  const page = h('div', null,
    h('ul', { style: { height: IN_SIGHT * ROW_HEIGHT, overflow: 'auto', whiteSpace: 'nowrap' } },
      stores.map((store, i) => h(Row, { key: i, store }))),
    h(Message, { store: stores[0] }));
  createRoot(document.body.appendChild(document.createElement('div'))).render(page);
};
