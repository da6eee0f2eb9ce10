// onopen, onmessage, onerror, and listeners.

import { END, SOON, gate, message } from '../page/steps.js';

const spec = 'HTML, event handler attributes';
const dom = 'DOM, EventTarget';
const NAMES = ['onopen', 'onmessage', 'onerror'];

/** The source of `body`, a list that its listeners write to, and a promise of its end, an event of the server's. */
const listening = (t, body) => {
  const source = t.open(t.url([...[body].flat(), 'event: end\ndata: 1\n\n']));
  const over = new Promise((resolve) => { source.addEventListener('end', resolve); });
  const seen = [];
  return { source, seen, over, note: (what) => () => { seen.push(what); } };
};

export const handlers = [
  {
    id: 'handler-null',
    title: 'the handlers are null at first',
    spec,
    async run(t) {
      const source = t.open(t.url([]));
      t.equal(NAMES.map((name) => source[name]), [null, null, null], 'handlers');
    },
  },
  {
    id: 'handler-identity',
    title: 'a handler reads as the function that was set',
    spec,
    async run(t) {
      const source = t.open(t.url([]));
      for (const name of NAMES) {
        const handler = () => {};
        source[name] = handler;
        t.ok(source[name] === handler, `${name} is another`);
        source[name] = null;
        t.equal(source[name], null, `${name} taken away`);
      }
    },
  },
  {
    id: 'handler-primitive',
    title: 'a handler that is no object is null',
    spec,
    async run(t) {
      const source = t.open(t.url([]));
      for (const value of [undefined, 0, 'alert()', true, Symbol.iterator, 1n]) {
        source.onmessage = () => {};
        source.onmessage = value;
        t.equal(source.onmessage, null, `onmessage set to ${String(value)}`);
      }
    },
  },
  {
    id: 'handler-object',
    title: 'an object that cannot be called is kept and not called, its handleEvent neither',
    spec,
    async run(t) {
      const { source, seen, over, note } = listening(t, message('a'));
      const object = { handleEvent: note('handleEvent') };
      source.onmessage = object;
      t.ok(source.onmessage === object, 'the object was not kept');
      await over;
      t.equal(seen, [], 'calls');
    },
  },
  {
    id: 'handler-called',
    title: 'each handler is called with its event, and with the source as this',
    spec,
    async run(t) {
      const source = t.open(t.url([message('a'), END]));
      const seen = [];
      const done = new Promise((resolve) => {
        for (const name of NAMES) {
          source[name] = function handler(event, ...rest) {
            seen.push([name, event.type, this === source, rest.length]);
            if (name === 'onerror') resolve();
          };
        }
      });
      await done;
      t.equal(seen, [['onopen', 'open', true, 0], ['onmessage', 'message', true, 0], ['onerror', 'error', true, 0]], 'calls');
    },
  },
  {
    id: 'handler-replaced',
    title: 'a handler that replaces another takes its place among the listeners',
    spec,
    async run(t) {
      const { source, seen, over, note } = listening(t, message('a'));
      source.addEventListener('message', note('before'));
      source.onmessage = note('first');
      source.addEventListener('message', note('after'));
      source.onmessage = note('second');
      await over;
      t.equal(seen, ['before', 'second', 'after'], 'calls');
    },
  },
  {
    id: 'handler-taken-and-set',
    title: 'a handler that was taken away and is set again goes to the end',
    spec,
    async run(t) {
      const { source, seen, over, note } = listening(t, message('a'));
      source.onmessage = note('handler');
      source.addEventListener('message', note('listener'));
      source.onmessage = null;
      source.onmessage = note('handler');
      await over;
      t.equal(seen, ['listener', 'handler'], 'calls');
    },
  },
  {
    id: 'handler-taken',
    title: 'a handler that was taken away is not called',
    spec,
    async run(t) {
      const { source, seen, over, note } = listening(t, message('a'));
      source.onmessage = note('handler');
      source.onmessage = null;
      source.addEventListener('message', note('listener'));
      await over;
      t.equal(seen, ['listener'], 'calls');
    },
  },
  {
    id: 'handler-replaced-inside',
    title: 'a handler that is replaced while its event is dispatched is replaced at once',
    spec,
    async run(t) {
      const { source, seen, over, note } = listening(t, message('a'));
      source.addEventListener('message', () => { source.onmessage = note('second'); });
      source.onmessage = note('first');
      await over;
      t.equal(seen, ['second'], 'calls');
    },
  },
  {
    id: 'handler-and-listener-same',
    title: 'one function as handler and as listener is called twice',
    spec,
    async run(t) {
      const { source, seen, over, note } = listening(t, message('a'));
      const both = note('both');
      source.onmessage = both;
      source.addEventListener('message', both);
      await over;
      t.equal(seen, ['both', 'both'], 'calls');
    },
  },
  {
    id: 'handler-returns-false',
    title: 'a handler that returns false prevents nothing',
    spec,
    async run(t) {
      const { source, seen, over } = listening(t, message('a'));
      source.onmessage = () => false;
      source.addEventListener('message', (event) => seen.push(event.defaultPrevented));
      await over;
      t.equal(seen, [false], 'defaultPrevented');
    },
  },
  {
    id: 'handler-not-for-named',
    title: 'onmessage does not get events with another name',
    spec: 'dispatching the event',
    async run(t) {
      const { source, seen, over } = listening(t, ['event: other\ndata: a\n\n', message('b')]);
      source.onmessage = ({ data }) => seen.push(data);
      await over;
      t.equal(seen, ['b'], 'data');
    },
  },
  {
    id: 'handler-server-error-event',
    title: 'an event that the server names error comes to onerror, with its data, and the source stays open',
    spec: 'dispatching the event',
    async run(t) {
      const { source, seen, over } = listening(t, 'event: error\ndata: a\nid: 7\n\n');
      source.onerror = (event) => seen.push([event instanceof MessageEvent, event.data, event.lastEventId, source.readyState]);
      await over;
      t.equal(seen, [[true, 'a', '7', 1]], 'onerror');
    },
  },
  {
    id: 'handler-server-open-event',
    title: 'an event that the server names open comes to onopen, with its data',
    spec: 'dispatching the event',
    async run(t) {
      const { source, seen, over } = listening(t, 'event: open\ndata: a\n\n');
      source.onopen = ({ data }) => seen.push(data);
      await over;
      t.equal(seen, [undefined, 'a'], 'data');
    },
  },
  {
    id: 'listener-order',
    title: 'listeners are called in the order in which they were added',
    spec: dom,
    async run(t) {
      const { source, seen, over, note } = listening(t, message('a'));
      for (const what of [1, 2, 3]) source.addEventListener('message', note(what));
      await over;
      t.equal(seen, [1, 2, 3], 'calls');
    },
  },
  {
    id: 'listener-capture',
    title: 'capturing listeners wait for their turn',
    spec: 'Chromium; in DOM they come first',
    async run(t) {
      const { source, seen, over, note } = listening(t, message('a'));
      source.addEventListener('message', note('plain'));
      source.addEventListener('message', note('capture'), true);
      await over;
      t.equal(seen, ['plain', 'capture'], 'calls');
    },
  },
  {
    id: 'listener-twice',
    title: 'a listener that is added twice is called once',
    spec: dom,
    async run(t) {
      const { source, seen, over, note } = listening(t, message('a'));
      const listener = note('listener');
      source.addEventListener('message', listener);
      source.addEventListener('message', listener, { once: true });
      source.addEventListener('message', listener, { passive: true });
      await over;
      t.equal(seen, ['listener'], 'calls');
    },
  },
  {
    id: 'listener-once',
    title: 'a listener with once is called once',
    spec: dom,
    async run(t) {
      const { source, seen, over } = listening(t, [message('a'), message('b')]);
      source.addEventListener('message', ({ data }) => seen.push(data), { once: true });
      await over;
      t.equal(seen, ['a'], 'data');
    },
  },
  {
    id: 'listener-signal',
    title: 'a listener with a signal is called until the signal is aborted',
    spec: dom,
    async run(t) {
      const { source, seen, over } = listening(t, [message('a'), message('b')]);
      const controller = new AbortController();
      source.addEventListener('message', ({ data }) => { seen.push(data); controller.abort(); }, { signal: controller.signal });
      source.addEventListener('message', () => seen.push('never'), { signal: AbortSignal.abort() });
      await over;
      t.equal(seen, ['a'], 'data');
    },
  },
  {
    id: 'listener-object',
    title: 'an object\'s handleEvent is looked up for each event and called on the object',
    spec: dom,
    async run(t) {
      const { source, seen, over } = listening(t, [message('a'), message('b')]);
      const listener = {
        handleEvent(event) {
          seen.push(['first', event.data, this === listener]);
          this.handleEvent = ({ data }) => seen.push(['second', data]);
        },
      };
      source.addEventListener('message', listener);
      await over;
      t.equal(seen, [['first', 'a', true], ['second', 'b']], 'calls');
    },
  },
  {
    id: 'listener-null',
    title: 'null as a listener is ignored, and what is none throws',
    spec: dom,
    async run(t) {
      const { source, over } = listening(t, message('a'));
      t.equal(source.addEventListener('message', null), undefined, 'addEventListener with null');
      t.equal(source.removeEventListener('message', null), undefined, 'removeEventListener with null');
      t.throws(TypeError, () => source.addEventListener('message', 'text'), 'a text');
      await over;
    },
  },
  {
    id: 'listener-removed',
    title: 'a removed listener is not called; capture tells two apart',
    spec: dom,
    async run(t) {
      const { source, seen, over } = listening(t, message('a'));
      const listener = ({ eventPhase }) => seen.push(eventPhase);
      source.addEventListener('message', listener);
      source.addEventListener('message', listener, { capture: true });
      source.removeEventListener('message', listener, { capture: true });
      const other = () => seen.push('other');
      source.addEventListener('message', other);
      source.removeEventListener('message', other);
      await over;
      t.equal(seen, [Event.AT_TARGET], 'calls');
    },
  },
  {
    id: 'listener-removed-inside',
    title: 'a listener that is removed by an earlier one is not called any more',
    spec: dom,
    async run(t) {
      const { source, seen, over, note } = listening(t, message('a'));
      const later = note('later');
      source.addEventListener('message', () => source.removeEventListener('message', later));
      source.addEventListener('message', later);
      await over;
      t.equal(seen, [], 'calls');
    },
  },
  {
    id: 'listener-added-inside',
    title: 'a listener that is added by another one is first called for the next event',
    spec: dom,
    async run(t) {
      const { source, seen, over } = listening(t, [message('a'), message('b')]);
      source.addEventListener('message', () => {
        source.addEventListener('message', ({ data }) => seen.push(data));
      }, { once: true });
      await over;
      t.equal(seen, ['b'], 'data');
    },
  },
  {
    id: 'listener-stop-immediate',
    title: 'stopImmediatePropagation ends the round',
    spec: dom,
    async run(t) {
      const { source, seen, over, note } = listening(t, message('a'));
      source.addEventListener('message', (event) => { seen.push('first'); event.stopImmediatePropagation(); });
      source.addEventListener('message', note('second'));
      source.onmessage = note('handler');
      await over;
      t.equal(seen, ['first'], 'calls');
    },
  },
  {
    id: 'listener-late',
    title: 'a listener that comes late gets what comes after',
    spec: dom,
    async run(t) {
      const url = t.url([message('a'), gate('next'), message('b')]);
      const source = t.open(url);
      await t.record(source).until('message');
      const late = t.record(source);
      await t.release(url, 'next');
      await late.until('message');
      t.equal(late.lines, ['message b'], 'events');
    },
  },
  {
    id: 'listener-kept-over-reconnection',
    title: 'handlers and listeners outlive a connection, once is once for all',
    spec,
    async run(t) {
      const source = t.open(t.url([SOON, message('a'), END], message('b')));
      const seen = [];
      source.onmessage = ({ data }) => seen.push(['handler', data]);
      source.addEventListener('message', ({ data }) => seen.push(['once', data]), { once: true });
      await t.record(source).until('message', 2);
      t.equal(seen, [['handler', 'a'], ['once', 'a'], ['handler', 'b']], 'calls');
    },
  },
  {
    id: 'dispatch-by-page',
    title: 'the page may dispatch events of its own, even on a closed source',
    spec: dom,
    async run(t) {
      const source = t.open(t.url([]));
      const seen = [];
      source.onmessage = ({ data, isTrusted }) => seen.push([data, isTrusted]);
      t.equal(source.dispatchEvent(new MessageEvent('message', { data: 'mine' })), true, 'what dispatchEvent returns');
      source.close();
      source.dispatchEvent(new MessageEvent('message', { data: 'late' }));
      t.equal(seen, [['mine', false], ['late', false]], 'calls');
    },
  },
];
