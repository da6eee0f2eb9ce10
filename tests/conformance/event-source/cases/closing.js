// close().

import { END, SOON, gate, message } from '../page/steps.js';

const spec = 'the close() method';

export const closing = [
  {
    id: 'close-state',
    title: 'it is CLOSED at once, without an event',
    spec,
    async run(t) {
      const url = t.url([]);
      const source = t.open(url);
      const log = t.record(source);
      await log.until('open');
      source.close();
      t.equal(source.readyState, 2, 'readyState');
      await t.left(url, 1);
      t.equal(log.lines, ['open'], 'events');
    },
  },
  {
    id: 'close-ends-connection',
    title: 'the connection is given up',
    spec,
    async run(t) {
      const url = t.url(message('a'));
      const source = t.open(url);
      await t.record(source).until('message');
      source.close();
      t.equal((await t.left(url, 1)).length, 1, 'requests');
    },
  },
  {
    id: 'close-twice',
    title: 'twice is as good as once',
    spec,
    async run(t) {
      const source = t.open(t.url([]));
      await t.record(source).until('open');
      source.close();
      source.close();
      t.equal(source.readyState, 2, 'readyState');
    },
  },
  {
    id: 'close-before-open',
    title: 'at once after the constructor: no event ever',
    spec,
    async run(t) {
      const source = t.open(t.url([message('a'), END]));
      const log = t.record(source);
      source.close();
      t.equal(source.readyState, 2, 'readyState');
      const witness = t.record(t.open(t.url([SOON, message('a'), END], message('b'))));
      await witness.until('message', 2);
      t.equal([log.lines, source.readyState], [[], 2], 'events and readyState');
    },
    connections: 2,
  },
  {
    id: 'close-before-answer',
    title: 'while the request is under way: no event ever, and the request is given up',
    spec,
    async run(t) {
      const url = t.url({ waits: 'head', body: [message('a')] });
      const source = t.open(url);
      const log = t.record(source);
      await t.arrived(url, 1);
      source.close();
      await t.left(url, 1);
      t.equal([log.lines, source.readyState], [[], 2], 'events and readyState');
    },
  },
  {
    id: 'close-in-open',
    title: 'in onopen: no message, though it came with the head',
    spec,
    async run(t) {
      const url = t.url([message('a'), message('b')]);
      const source = t.open(url);
      source.onopen = () => source.close();
      const log = t.record(source);
      await t.left(url, 1);
      t.equal([log.lines, source.readyState], [['open'], 2], 'events and readyState');
    },
  },
  {
    id: 'close-in-message',
    title: 'in onmessage: nothing more of the same chunk',
    spec,
    async run(t) {
      const url = t.url([message('a') + message('b') + message('c'), END], message('d'));
      const source = t.open(url);
      source.onmessage = () => source.close();
      const log = t.record(source);
      await t.left(url, 1);
      await t.pause(50);
      t.equal([log.lines, source.readyState], [['open', 'message a'], 2], 'events and readyState');
    },
  },
  {
    id: 'close-in-second-message',
    title: 'in the second of three: the third does not come',
    spec,
    async run(t) {
      const url = t.url([message('a') + message('b') + message('c')]);
      const source = t.open(url);
      source.addEventListener('message', ({ data }) => { if (data === 'b') source.close(); });
      const log = t.record(source);
      await t.left(url, 1);
      t.equal(log.data, ['a', 'b'], 'data');
    },
  },
  {
    id: 'close-in-named',
    title: 'in a named event\'s listener: the same',
    spec,
    async run(t) {
      const url = t.url(['event: last\ndata: a\n\ndata: b\n\n']);
      const source = t.open(url);
      source.addEventListener('last', () => source.close());
      const log = t.record(source, ['last']);
      await t.left(url, 1);
      t.equal(log.lines, ['open', 'last a'], 'events');
    },
  },
  {
    id: 'close-in-microtask',
    title: 'in a microtask of a listener: the next event does not come',
    spec,
    async run(t) {
      const url = t.url([message('a') + message('b')]);
      const source = t.open(url);
      source.onmessage = async () => {
        await null;
        source.close();
      };
      const log = t.record(source);
      await t.left(url, 1);
      t.equal(log.lines, ['open', 'message a'], 'events');
    },
  },
  {
    id: 'close-other-listeners',
    title: 'in one listener: the others still get this event',
    spec: 'DOM, dispatch',
    async run(t) {
      const url = t.url([message('a') + message('b')]);
      const source = t.open(url);
      const seen = [];
      source.addEventListener('message', () => source.close());
      source.addEventListener('message', ({ data }) => seen.push([data, source.readyState]));
      await t.left(url, 1);
      t.equal(seen, [['a', 2]], 'data and readyState');
    },
  },
  {
    id: 'close-in-error',
    title: 'in onerror: no reconnection',
    spec,
    async run(t) {
      const url = t.url([SOON, END], message('a'));
      const source = t.open(url);
      source.onerror = () => source.close();
      const log = t.record(source);
      await log.until('error');
      await t.pause(150);
      t.equal([log.count('open'), log.count('error'), source.readyState], [1, 1, 2], 'open, error, readyState');
      t.equal((await t.requests(url)).length, 1, 'requests');
    },
  },
  {
    id: 'close-while-waiting',
    title: 'while it waits to reconnect: no reconnection, no event',
    spec,
    async run(t) {
      const url = t.url(['retry: 100\n\n', END], message('a'));
      const source = t.open(url);
      const log = t.record(source);
      await log.until('error');
      await t.pause(10);
      source.close();
      await t.pause(250);
      t.equal([log.lines, source.readyState], [['open', 'error connecting'], 2], 'events and readyState');
      t.equal((await t.requests(url)).length, 1, 'requests');
    },
  },
  {
    id: 'close-while-reconnecting',
    title: 'while the second request is under way: no event ever, and it is given up',
    spec,
    async run(t) {
      const url = t.url([SOON, END], { waits: 'head', body: [message('a')] });
      const source = t.open(url);
      const log = t.record(source);
      await t.arrived(url, 2);
      source.close();
      await t.left(url, 2);
      t.equal([log.lines, source.readyState], [['open', 'error connecting'], 2], 'events and readyState');
    },
  },
  {
    id: 'close-then-data',
    title: 'what the server sends afterwards is not heard',
    spec,
    async run(t) {
      const url = t.url([message('a'), gate('later'), message('b')]);
      const source = t.open(url);
      const log = t.record(source);
      await log.until('message');
      source.close();
      await t.release(url, 'later');
      await t.left(url, 1);
      await t.pause(50);
      t.equal(log.lines, ['open', 'message a'], 'events');
    },
  },
  {
    id: 'close-after-failure',
    title: 'after a failure it changes nothing',
    spec,
    async run(t) {
      const source = t.open(t.url({ status: 404 }));
      const log = t.record(source);
      await log.until('error');
      source.close();
      await t.pause(20);
      t.equal([log.lines, source.readyState], [['error closed'], 2], 'events and readyState');
    },
  },
  {
    id: 'close-keeps-the-rest',
    title: 'url, withCredentials and handlers stay',
    spec,
    async run(t) {
      const url = t.url([]);
      const source = t.open(url, { withCredentials: true });
      const handler = () => {};
      source.onmessage = handler;
      source.close();
      t.equal([source.url, source.withCredentials, source.onmessage === handler], [url, true, true], 'url, withCredentials, onmessage');
    },
  },
  {
    id: 'close-by-another',
    title: 'from another source\'s listener',
    spec,
    async run(t) {
      const url = t.url([message('a'), gate('later'), message('b')]);
      const source = t.open(url);
      const log = t.record(source);
      await log.until('message');
      const other = t.open(t.url(message('now')));
      other.onmessage = () => source.close();
      await t.left(url, 1);
      t.equal([log.lines, source.readyState], [['open', 'message a'], 2], 'events and readyState');
    },
    connections: 2,
  },
];
