// Handlers and listeners: which are called, in which order, and what happens between them.

import { close, text } from '../script.js';

const spec = 'html: event handlers; dom: EventTarget';
const TWO = { steps: [text('1'), text('2')] };

export default [
  {
    id: 'listening/attributes',
    title: 'the four handlers are null at first, and called with their event, the socket as this',
    spec,
    async run(t) {
      const { socket, log } = t.connect({ steps: [text('x'), close(1000)] });
      const failing = t.connect({ status: 404 });
      const seen = [];
      for (const [type, on] of [['open', socket], ['message', socket], ['close', socket], ['error', failing.socket]]) {
        t.equal(on[`on${type}`], null, `on${type}`);
        on[`on${type}`] = function handler(event) { seen.push([event.type, this === on, event.target === on, event.currentTarget === on].join()); };
      }
      await Promise.all([log.until('close'), failing.log.until('close')]);
      t.same(seen.sort(), ['close,true,true,true', 'error,true,true,true', 'message,true,true,true', 'open,true,true,true']);
    },
  },
  {
    id: 'listening/open-event',
    title: 'the event of open is a plain Event that neither bubbles nor can be cancelled',
    spec: 'websockets: the connection is established',
    async run(t) {
      const { socket, log } = t.connect({});
      const event = await log.until('open');
      t.equal(event.constructor, Event, 'class');
      t.equal(event.target, socket, 'target');
      t.same([event.bubbles, event.cancelable, event.composed], [false, false, false], 'bubbles, cancelable, composed');
    },
  },
  {
    id: 'listening/attribute-values',
    title: 'a handler that is no object becomes null, an object is kept and never called',
    spec: 'html: EventHandlerNonNull',
    async run(t) {
      const { socket, log } = t.connect(TWO);
      const handler = () => {};
      socket.onmessage = handler;
      t.equal(socket.onmessage, handler, 'a function');
      for (const value of [5, 'text', true, undefined, null, Symbol('x')]) {
        socket.onmessage = value;
        t.equal(socket.onmessage, null, `after ${String(value)}`);
      }
      let times = 0;
      const object = { handleEvent() { times += 1; } };
      socket.onmessage = object;
      t.equal(socket.onmessage, object, 'an object');
      await log.until('message', 2);
      t.equal(times, 0, 'calls of handleEvent');
    },
  },
  {
    id: 'listening/attribute-replaced',
    title: 'only the last handler is called, and none after null',
    spec,
    async run(t) {
      const { socket, log } = t.connect(TWO);
      const seen = [];
      socket.onopen = () => seen.push('first');
      socket.onopen = () => seen.push('second');
      socket.onmessage = ({ data }) => { seen.push(data); socket.onmessage = null; };
      await log.until('message', 2);
      t.same(seen, ['second', '1']);
    },
  },
  {
    id: 'listening/attribute-place',
    title: 'a handler keeps the place among the listeners that it first had, and loses it by null',
    spec: 'html: event handlers, activate and deactivate',
    async run(t) {
      const { socket, log } = t.connect(TWO);
      const seen = [];
      socket.addEventListener('message', () => seen.push('a'));
      socket.onmessage = () => seen.push('old');
      socket.addEventListener('message', () => seen.push('b'));
      socket.onmessage = () => seen.push('on');
      await log.until('message');
      t.same(seen.slice(0, 3), ['a', 'on', 'b'], 'replaced');
      const other = t.connect(TWO);
      other.socket.onmessage = () => seen.push('on');
      other.socket.addEventListener('message', () => seen.push('c'));
      other.socket.onmessage = null;
      other.socket.onmessage = () => seen.push('on');
      await log.until('message', 2);
      seen.length = 0;
      await other.log.until('message');
      t.same(seen.slice(0, 2), ['c', 'on'], 'taken away and set again');
    },
  },
  {
    id: 'listening/order',
    title: 'listeners are called in the order of their adding, each once',
    spec,
    async run(t) {
      const { socket, log } = t.connect({ steps: [text('1')] });
      const seen = [];
      const twice = () => seen.push('twice');
      socket.addEventListener('message', twice);
      socket.addEventListener('message', () => seen.push('other'));
      socket.addEventListener('message', twice);
      await log.until('message');
      t.same(seen, ['twice', 'other']);
    },
  },
  {
    id: 'listening/options',
    title: 'once, signal, handleEvent and removal work',
    spec: 'dom: addEventListener',
    async run(t) {
      const { socket, log } = t.connect(TWO);
      const seen = [];
      const control = new AbortController();
      const object = { handleEvent(event) { seen.push(`object ${event.data} ${this === object}`); } };
      const removed = () => seen.push('removed');
      socket.addEventListener('message', () => seen.push('once'), { once: true });
      socket.addEventListener('message', () => { seen.push('until aborted'); control.abort(); }, { signal: control.signal });
      socket.addEventListener('message', object);
      socket.addEventListener('message', removed);
      socket.removeEventListener('message', removed);
      await log.until('message', 2);
      t.same(seen, ['once', 'until aborted', 'object 1 true', 'object 2 true']);
    },
  },
  {
    id: 'listening/added-while-dispatching',
    title: 'a listener added by another hears the next event, one removed hears no more',
    spec: 'dom: inner invoke',
    async run(t) {
      const { socket, log } = t.connect(TWO);
      const seen = [];
      const late = ({ data }) => seen.push(`late ${data}`);
      const doomed = ({ data }) => seen.push(`doomed ${data}`);
      socket.addEventListener('message', ({ data }) => {
        seen.push(data);
        socket.addEventListener('message', late);
        socket.removeEventListener('message', doomed);
      });
      socket.addEventListener('message', doomed);
      await log.until('message', 2);
      t.same(seen, ['1', '2', 'late 2']);
    },
  },
  {
    id: 'listening/stop-immediate',
    title: 'stopImmediatePropagation keeps the event from the listeners behind',
    spec: 'dom: stopImmediatePropagation',
    async run(t) {
      const socket = t.open(t.url({ steps: [text('x'), close(1000)] }));
      const seen = [];
      socket.addEventListener('message', (event) => { seen.push('first'); event.stopImmediatePropagation(); });
      socket.onmessage = () => seen.push('second');
      await t.record(socket).until('close');
      t.same(seen, ['first']);
    },
  },
  {
    id: 'listening/throwing',
    title: 'a listener that throws is reported to the window; the others and the next events still come',
    spec: 'dom: inner invoke; html: report an exception',
    async run(t) {
      const error = new Error('thrown by a listener on purpose');
      const reported = t.expectUncaught(error);
      const { socket, log } = t.connect({ steps: [text('1'), text('2'), close(1000)] });
      const seen = [];
      const throwing = () => { throw error; };
      Object.assign(socket, { onopen: throwing, onmessage: throwing, onclose: throwing });
      for (const type of ['open', 'message', 'close']) socket.addEventListener(type, () => seen.push(type));
      await log.until('close');
      t.same(seen, ['open', 'message', 'message', 'close']);
      await t.until(() => reported.times === 4, 'four reports');
      t.same(log.story, ['open', 'message 1', 'message 2', 'close 1000']);
    },
  },
  {
    id: 'listening/return-false',
    title: 'what a handler returns does not matter',
    spec: 'html: the event handler processing algorithm',
    async run(t) {
      const { socket, log } = t.connect({ steps: [text('1'), close(1000)] });
      Object.assign(socket, { onopen: () => false, onmessage: () => false, onclose: () => false });
      await log.until('close');
      t.same(log.entries.map(({ event }) => event.defaultPrevented), [false, false, false]);
    },
  },
  {
    id: 'listening/own-events',
    title: 'events of the caller are dispatched to handlers and listeners, and change nothing',
    spec: 'dom: dispatchEvent',
    async run(t) {
      const { socket } = await t.connected({});
      const seen = [];
      socket.onmessage = ({ data }) => seen.push(`on ${data}`);
      socket.onclose = ({ code }) => seen.push(`on ${code}`);
      socket.addEventListener('custom', ({ detail }) => seen.push(detail));
      socket.dispatchEvent(new MessageEvent('message', { data: 'mine' }));
      socket.dispatchEvent(new CloseEvent('close', { code: 4000 }));
      socket.dispatchEvent(new CustomEvent('custom', { detail: 'own' }));
      t.same(seen, ['on mine', 'on 4000', 'own']);
      t.equal(socket.readyState, 1, 'readyState');
    },
  },
  {
    id: 'listening/attached-late',
    title: 'listeners attached to an open socket hear what comes from then on',
    spec,
    async run(t) {
      const { socket, log } = await t.connected({ echo: true });
      const late = t.record(socket);
      socket.send('x');
      await log.until('message');
      t.same(late.story, ['message x']);
    },
  },
  {
    id: 'listening/phase',
    title: 'a listener that captures is called too, at the target',
    spec: 'dom: dispatch',
    async run(t) {
      const { socket, log } = t.connect({ steps: [text('x')] });
      const seen = [];
      socket.addEventListener('message', (event) => {
        seen.push([event.eventPhase, event.composedPath().length, event.composedPath()[0] === socket].join());
      }, { capture: true });
      await log.until('message');
      t.same(seen, ['2,1,true']);
    },
  },
  {
    id: 'listening/microtasks-between-listeners',
    title: 'microtasks of one listener run before the next is called',
    spec: 'html: clean up after running script',
    async run(t) {
      const { socket, log } = t.connect({ steps: [text('x')] });
      const seen = [];
      socket.addEventListener('message', () => { seen.push('a'); queueMicrotask(() => seen.push('microtask of a')); });
      socket.addEventListener('message', () => seen.push('b'));
      await log.until('message');
      t.same(seen, ['a', 'microtask of a', 'b']);
    },
  },
  {
    id: 'listening/microtasks-between-events',
    title: 'microtasks of one event run before the next event, for all that came in one segment',
    spec: 'html: perform a microtask checkpoint',
    async run(t) {
      const { socket, log } = t.connect({ steps: [text('1'), text('2'), close(1000)] });
      const seen = [];
      const note = (what) => {
        seen.push(what);
        Promise.resolve().then(() => {}).then(() => seen.push(`after ${what}`));
      };
      socket.onopen = () => note('open');
      socket.onmessage = ({ data }) => note(data);
      socket.onclose = () => note('close');
      await log.until('close');
      t.same(seen, ['open', 'after open', '1', 'after 1', '2', 'after 2', 'close', 'after close']);
    },
  },
  {
    id: 'listening/microtasks-of-error',
    title: 'microtasks of error run before close',
    spec: 'html: perform a microtask checkpoint',
    async run(t) {
      const { socket, log } = t.connect({ status: 404 });
      const seen = [];
      socket.onerror = () => { seen.push('error'); queueMicrotask(() => seen.push('microtask')); };
      socket.onclose = () => seen.push('close');
      await log.until('close');
      t.same(seen, ['error', 'microtask', 'close']);
    },
  },
  {
    id: 'listening/awaited-open',
    title: 'who awaits open by a promise and then sets onmessage misses nothing',
    spec: 'html: perform a microtask checkpoint',
    async run(t) {
      const socket = t.open(t.url(TWO));
      await new Promise((resolve) => { socket.onopen = resolve; });
      const seen = [];
      socket.onmessage = ({ data }) => seen.push(data);
      await t.until(() => seen.length === 2, 'two messages');
      t.same(seen, ['1', '2']);
    },
  },
];
