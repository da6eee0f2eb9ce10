// What happens after a connection is lost.

import { CUT, END, SOON, gate, hex, message, redirect } from '../page/steps.js';

const spec = 'reestablish the connection';
const header = 'the Last-Event-ID header';

/** The header as text; it is sent as UTF-8, and arrives as bytes. */
const lastEventIds = (requests) => requests.map(({ headers }) => {
  const value = headers['last-event-id'];
  return value === undefined ? null : new TextDecoder().decode(Uint8Array.from(value, (c) => c.charCodeAt(0)));
});

/** A case of a first connection that ends after `body`, and the header that the second request has. */
const asks = (id, title, body, expected) => ({
  id,
  title,
  spec: header,
  async run(t) {
    const url = t.url([SOON, ...[body].flat(), END], message('done'));
    await t.record(t.open(url)).until('open', 2);
    t.equal(lastEventIds(await t.requests(url)), [null, expected], 'Last-Event-ID');
  },
});

/** A cut may take with it what has not been read yet: it waits until the page has seen the message. */
const ends = (id, title, last) => ({
  id,
  title,
  spec,
  async run(t) {
    const url = t.url([SOON, message('a'), gate('seen'), last], message('b'));
    const log = t.record(t.open(url));
    await log.until('message');
    await t.release(url, 'seen');
    await log.until('message', 2);
    t.equal(log.lines, ['open', 'message a', 'error connecting', 'open', 'message b'], 'events');
  },
});

/** A case of a reconnection whose response is the last word. */
const refused = (id, title, response) => ({
  id,
  title,
  spec: 'fail the connection',
  async run(t) {
    const url = t.url([SOON, message('a'), END], response, message('never'));
    const source = t.open(url);
    const log = t.record(source);
    await log.until('error', 2);
    await t.pause(150);
    t.equal(log.lines, ['open', 'message a', 'error connecting', 'error closed'], 'events');
    t.equal(source.readyState, 2, 'readyState');
    t.equal((await t.requests(url)).length, 2, 'requests');
  },
});

export const reconnection = [
  ends('reconnect-after-end', 'after a clean end: error while CONNECTING, then open again', END),
  ends('reconnect-after-cut', 'after a cut: the same', CUT),
  {
    id: 'reconnect-state',
    title: 'it is CONNECTING from the error until the next open',
    spec,
    async run(t) {
      const url = t.url([SOON, END], [gate('later'), message('a')]);
      const source = t.open(url);
      const log = t.record(source);
      await log.until('error');
      t.equal(source.readyState, 0, 'readyState in the error');
      await t.pause(0);
      t.equal(source.readyState, 0, 'readyState after the error');
      await log.until('open', 2);
      t.equal(source.readyState, 1, 'readyState in the second open');
      await t.release(url, 'later');
      await log.until('message');
      t.equal(source.readyState, 1, 'readyState in the message');
    },
  },
  {
    id: 'reconnect-many',
    title: 'as often as it takes',
    spec,
    async run(t) {
      const times = 8;
      const bodies = Array.from({ length: times }, (_, i) => [SOON, message(i), gate(`seen ${i}`), i % 2 ? CUT : END]);
      const url = t.url(...bodies, message('last'));
      const log = t.record(t.open(url));
      for (let i = 0; i < times; i += 1) {
        await log.until('message', i + 1);
        await t.release(url, `seen ${i}`);
      }
      await log.until('message', times + 1);
      t.equal(log.data, [...Array.from({ length: times }, (_, i) => String(i)), 'last'], 'data');
      t.equal([log.count('open'), log.count('error')], [times + 1, times], 'open and error');
    },
  },
  {
    id: 'reconnect-attempt-fails',
    title: 'an attempt without an answer is an error while CONNECTING, and another one follows',
    spec,
    async run(t) {
      const url = t.url([SOON, message('a'), END], { refuse: true }, { refuse: true }, message('b'));
      const log = t.record(t.open(url));
      await log.until('message', 2);
      t.equal(log.lines,
        ['open', 'message a', 'error connecting', 'error connecting', 'error connecting', 'open', 'message b'], 'events');
    },
  },
  {
    id: 'reconnect-first-attempt-fails',
    title: 'so is a first attempt without an answer',
    spec,
    isSlow: true,
    async run(t) {
      const log = t.record(t.open(t.url({ refuse: true }, message('a'))));
      await log.until('message');
      t.equal(log.lines, ['error connecting', 'open', 'message a'], 'events');
    },
  },
  refused('reconnect-204', '204 on a reconnection ends it: error, CLOSED', { status: 204, type: null }),
  refused('reconnect-404', 'so does 404', { status: 404 }),
  refused('reconnect-500', 'so does 500', { status: 500 }),
  refused('reconnect-503', 'so does 503, Retry-After or not', { status: 503, headers: { 'retry-after': '0' } }),
  refused('reconnect-mime', 'so does another type', { type: 'application/json', body: [message('never')] }),
  ...[301, 302, 307, 308].map((status) => ({
    id: `reconnect-behind-${status}`,
    title: `behind a ${status} it asks where that led to, and not again what it was given`,
    spec: 'Chromium',
    async run(t) {
      const target = t.url([SOON, 'id: 1\n', message('a'), END], message('b'));
      const url = t.url(redirect(status, target), message('never'));
      const source = t.open(url);
      const log = t.record(source);
      await log.until('message', 2);
      t.equal([log.data, source.url], [['a', 'b'], url], 'data and url');
      t.equal([(await t.requests(url)).length, lastEventIds(await t.requests(target))], [1, [null, '1']], 'requests');
    },
  })),
  {
    id: 'reconnect-behind-other-origin',
    title: 'even at another origin, which it asks by itself and as the page',
    spec: 'Chromium',
    async run(t) {
      const headers = { 'access-control-allow-origin': '*' };
      const target = t.otherUrl({ headers, body: [SOON, message('a'), END] }, { headers, body: [message('b')] });
      const url = t.url(redirect(302, target), message('never'));
      const log = t.record(t.open(url));
      await log.until('message', 2);
      t.equal(log.data, ['a', 'b'], 'data');
      t.equal([(await t.requests(url)).length, (await t.requests(target)).map((request) => request.headers.origin)],
        [1, [t.origin, t.origin]], 'requests to the first URL, Origin of those behind it');
    },
  },
  {
    id: 'reconnect-parser',
    title: 'half an event, its name and its id are not carried over',
    spec,
    async run(t) {
      const log = t.record(t.open(t.url([SOON, 'event: other\nid: 9\ndata: a\n', END], 'data: b\n\n')), ['other']);
      await log.until('message');
      t.equal(log.messages, [{ type: 'message', data: 'b', lastEventId: '' }], 'events');
    },
  },
  {
    id: 'reconnect-parser-line',
    title: 'half a line and half a character are not carried over',
    spec,
    async run(t) {
      const log = t.record(t.open(t.url([SOON, 'data: a', hex('e282'), END], [hex('ac'), 'x\ndata: b\n\n'])));
      await log.until('message');
      t.equal(log.data, ['b'], 'data');
    },
  },
  {
    id: 'reconnect-cr-lf',
    title: 'a CR at the end of one stream does not swallow an LF at the start of the next',
    spec,
    async run(t) {
      const log = t.record(t.open(t.url([SOON, 'data: a\r\r', END], ['\ndata: b\n\n'])));
      await log.until('message', 2);
      t.equal(log.data, ['a', 'b'], 'data');
    },
  },
  {
    id: 'reconnect-bom',
    title: 'each stream may start with a byte order mark',
    spec: 'parsing an event stream',
    async run(t) {
      const body = [hex('efbbbf'), 'retry: 20\ndata: a\n\n', END];
      const log = t.record(t.open(t.url(body, body.slice(0, 2))));
      await log.until('message', 2);
      t.equal(log.data, ['a', 'a'], 'data');
    },
  },
  {
    id: 'reconnect-last-event-id-persists',
    title: 'the id holds over connections that bring none',
    spec: header,
    async run(t) {
      const url = t.url([SOON, 'id: 1\ndata: a\n\n', END], [message('b'), END], [END], message('c'));
      const log = t.record(t.open(url));
      await log.until('message', 3);
      t.equal(log.messages.map(({ lastEventId }) => lastEventId), ['1', '1', '1'], 'lastEventId');
      t.equal(lastEventIds(await t.requests(url)), [null, '1', '1', '1'], 'Last-Event-ID');
    },
  },
  {
    id: 'reconnect-last-event-id-changes',
    title: 'each request has the id that was the last by then',
    spec: header,
    async run(t) {
      const bodies = ['id: 1\ndata: a\n\n', 'id: 2\ndata: b\n\nid: 3\ndata: c\n\n', 'id:\ndata: d\n\n'];
      const url = t.url(...bodies.map((body) => [SOON, body, END]), message('e'));
      await t.record(t.open(url)).until('message', 5);
      t.equal(lastEventIds(await t.requests(url)), [null, '1', '3', null], 'Last-Event-ID');
    },
  },
  asks('last-event-id-none', 'without an id there is no header', message('a'), null),
  asks('last-event-id', 'the last id is the header', 'id: 1\ndata: a\n\nid: 2\ndata: a\n\n', '2'),
  asks('last-event-id-utf8', 'it is sent as UTF-8', 'id: ä€😀\ndata: a\n\n', 'ä€😀'),
  asks('last-event-id-empty', 'an empty id takes it away', 'id: 1\ndata: a\n\nid\ndata: b\n\n', null),
  asks('last-event-id-nul', 'one with NUL does not count', 'id: 1\ndata: a\n\nid: 2\0\ndata: b\n\n', '1'),
  asks('last-event-id-without-data', 'one without data counts', 'id: 1\n\n', '1'),
  asks('last-event-id-partial', 'one of an event that was not finished does not', ['id: 1\ndata: a\n\n', 'id: 2\ndata: b\n'], '1'),
  asks('last-event-id-partial-alone', 'not even without data', 'id: 2\n', null),
  asks('last-event-id-ascii', 'it is sent as it came', 'id: "a", b; c=%41\ndata: a\n\n', '"a", b; c=%41'),
];
