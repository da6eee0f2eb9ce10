// The order of events among themselves, beside microtasks, and with listeners that throw.

import { END, SOON, message } from '../page/steps.js';

const spec = 'dispatching the event';
const reporting = 'Web IDL, report the exception';

export const order = [
  {
    id: 'order-open-first',
    title: 'open comes before messages that came in the same segment, with readyState OPEN',
    spec: 'announce the connection',
    async run(t) {
      const source = t.open(t.url([message('a') + message('b')]));
      const log = t.record(source);
      await log.until('message', 2);
      t.equal(log.entries.map(({ type, readyState }) => [type, readyState]), [['open', 1], ['message', 1], ['message', 1]], 'events');
    },
  },
  {
    id: 'order-error-last',
    title: 'error comes after all messages, though the end came with them',
    spec: 'reestablish the connection',
    async run(t) {
      const log = t.record(t.open(t.url([message('a') + message('b'), END])));
      await log.until('error');
      t.equal(log.lines, ['open', 'message a', 'message b', 'error connecting'], 'events');
    },
  },
  {
    id: 'order-names',
    title: 'events of different names come in the order of the stream',
    spec,
    async run(t) {
      const log = t.record(t.open(t.url(['event: x\ndata: 1\n\ndata: 2\n\nevent: y\ndata: 3\n\nevent: x\ndata: 4\n\n'])), ['x', 'y']);
      await log.until('x', 2);
      t.equal(log.lines, ['open', 'x 1', 'message 2', 'y 3', 'x 4'], 'events');
    },
  },
  {
    id: 'order-microtask-open',
    title: 'a microtask of open runs before the first message',
    spec: 'HTML, perform a microtask checkpoint',
    async run(t) {
      const source = t.open(t.url([message('a')]));
      const seen = [];
      source.onopen = () => queueMicrotask(() => seen.push('microtask'));
      source.onmessage = () => seen.push('message');
      await t.record(source).until('message');
      t.equal(seen, ['microtask', 'message'], 'order');
    },
  },
  {
    id: 'order-microtask-message',
    title: 'microtasks of one message run before the next one of the same chunk',
    spec: 'HTML, perform a microtask checkpoint',
    async run(t) {
      const source = t.open(t.url([message('a') + message('b')]));
      const seen = [];
      source.onmessage = async ({ data }) => {
        seen.push(data);
        for (let i = 0; i < 5; i += 1) await null;
        seen.push(`${data} later`);
      };
      await t.record(source).until('message', 2);
      await t.pause(0);
      t.equal(seen, ['a', 'a later', 'b', 'b later'], 'order');
    },
  },
  {
    id: 'order-microtask-error',
    title: 'microtasks of the last message run before the error',
    spec: 'HTML, perform a microtask checkpoint',
    async run(t) {
      const source = t.open(t.url([message('a'), END]));
      const seen = [];
      source.onmessage = () => queueMicrotask(() => seen.push('microtask'));
      source.onerror = () => seen.push('error');
      await t.record(source).until('error');
      t.equal(seen, ['microtask', 'error'], 'order');
    },
  },
  {
    id: 'order-microtask-listener',
    title: 'microtasks of one listener run before the next listener of the same event',
    spec: 'HTML, clean up after running script',
    async run(t) {
      const source = t.open(t.url([message('a')]));
      const seen = [];
      source.addEventListener('message', () => {
        seen.push('first');
        queueMicrotask(() => seen.push('microtask'));
      });
      source.addEventListener('message', () => seen.push('second'));
      await t.record(source).until('message');
      t.equal(seen, ['first', 'microtask', 'second'], 'order');
    },
  },
  {
    id: 'order-throw-message',
    title: 'a listener that throws is reported, and disturbs neither other listeners nor the stream',
    spec: reporting,
    async run(t) {
      const mine = new Error('thrown by a case');
      const reports = t.expectReports(mine);
      const source = t.open(t.url([message('a') + message('b')]));
      source.addEventListener('message', () => { throw mine; });
      const log = t.record(source);
      await log.until('message', 2);
      t.equal(log.lines, ['open', 'message a', 'message b'], 'events');
      t.equal([reports.length, source.readyState], [2, 1], 'reports and readyState');
    },
  },
  {
    id: 'order-throw-reported-at-once',
    title: 'it is reported before the next listener is called',
    spec: reporting,
    async run(t) {
      const mine = new Error('thrown by a case');
      const reports = t.expectReports(mine);
      const source = t.open(t.url([message('a')]));
      const seen = [];
      source.addEventListener('message', () => { throw mine; });
      source.addEventListener('message', () => seen.push(reports.length));
      await t.record(source).until('message');
      t.equal(seen, [1], 'reports by then');
    },
  },
  {
    id: 'order-throw-open',
    title: 'an onopen that throws does not keep messages away',
    spec: reporting,
    async run(t) {
      const mine = new Error('thrown by a case');
      const reports = t.expectReports(mine);
      const source = t.open(t.url([message('a')]));
      source.onopen = () => { throw mine; };
      const log = t.record(source);
      await log.until('message');
      t.equal([log.lines, reports.length], [['open', 'message a'], 1], 'events and reports');
    },
  },
  {
    id: 'order-throw-error',
    title: 'an onerror that throws does not keep it from reconnecting',
    spec: reporting,
    async run(t) {
      const mine = new Error('thrown by a case');
      const reports = t.expectReports(mine);
      const source = t.open(t.url([SOON, END], message('a')));
      source.onerror = () => { throw mine; };
      const log = t.record(source);
      await log.until('message');
      t.equal([log.lines, reports.length], [['open', 'error connecting', 'open', 'message a'], 1], 'events and reports');
    },
  },
];
