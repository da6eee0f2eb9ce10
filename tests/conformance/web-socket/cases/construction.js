// The constructor: which URLs and protocols it takes, and what it throws for the others.

import { close, text } from '../script.js';

const spec = 'websockets: new WebSocket(url, protocols)';

/** On the page's own port, since the cases are about addresses without one. */
const pagePeer = (script) => `/peer/${crypto.randomUUID()}?${encodeURIComponent(JSON.stringify(script))}`;

async function opensAt(t, given, expected) {
  const socket = t.open(given);
  t.equal(socket.url, expected, 'url');
  const log = t.record(socket);
  await log.until('message');
  t.same(log.story, ['open', 'message here']);
}

const HERE = { steps: [text('here')] };

export default [
  {
    id: 'construction/ws-url',
    title: 'a ws: URL is taken as it is',
    spec,
    async run(t) {
      const url = t.url(HERE);
      await opensAt(t, url, url);
    },
  },
  {
    id: 'construction/http-url',
    title: 'http: becomes ws:',
    spec,
    async run(t) {
      const url = t.url(HERE);
      await opensAt(t, url.replace('ws:', 'http:'), url);
    },
  },
  {
    id: 'construction/https-url',
    title: 'https: becomes wss:',
    spec,
    run(t) {
      t.equal(t.open('https://127.0.0.1:4/x').url, 'wss://127.0.0.1:4/x', 'url');
    },
  },
  {
    id: 'construction/relative-url',
    title: "a relative URL is resolved against the page's",
    spec,
    async run(t) {
      const path = pagePeer(HERE);
      await opensAt(t, path, `ws://${location.host}${path}`);
    },
  },
  {
    id: 'construction/scheme-relative-url',
    title: "a URL without a scheme takes the page's, as ws:",
    spec,
    async run(t) {
      const path = pagePeer(HERE);
      await opensAt(t, `//${location.host}${path}`, `ws://${location.host}${path}`);
    },
  },
  {
    id: 'construction/url-object',
    title: 'a URL object is turned into text',
    spec,
    async run(t) {
      const url = t.url(HERE);
      await opensAt(t, new URL(url), url);
    },
  },
  {
    id: 'construction/url-serialised',
    title: 'url is what the URL parser makes of it: lower case, no default port, no dot segments, escaped',
    spec: 'websockets: url',
    run(t) {
      t.equal(t.open('WS://LOCALHOST:80/a/../b c?d e').url, 'ws://localhost/b%20c?d%20e');
      t.equal(t.open('wss://localhost:443').url, 'wss://localhost/');
      t.equal(t.open('  ws://localhost:4/x\n ').url, 'ws://localhost:4/x');
    },
  },
  {
    id: 'construction/fragment',
    title: 'a URL with a fragment, even an empty one, is a SyntaxError',
    spec,
    run(t) {
      t.throws('SyntaxError', () => t.open(`${t.url()}#part`));
      t.throws('SyntaxError', () => t.open(`${t.url()}#`));
    },
  },
  {
    id: 'construction/invalid-url',
    title: 'a URL that cannot be parsed is a SyntaxError with the old code 12',
    spec,
    run(t) {
      for (const url of ['ws://', 'ws://localhost:99999/', 'http://[', 'ws://%/']) {
        const error = t.throws('SyntaxError', () => t.open(url), url);
        t.equal(error.code, 12, 'code');
      }
    },
  },
  {
    id: 'construction/other-scheme',
    title: 'any other scheme is a SyntaxError',
    spec,
    run(t) {
      for (const url of ['ftp://localhost/', 'about:blank', 'mailto:a@localhost', 'data:,x', 'blob:x', 'file:///x', 'javascript:0']) {
        t.throws('SyntaxError', () => t.open(url), url);
      }
    },
  },
  {
    id: 'construction/arguments',
    title: 'no URL at all, and a call without new, are TypeErrors',
    spec: 'webidl: overload resolution, constructors',
    run(t) {
      t.throws('TypeError', () => new t.WebSocket());
      t.throws('TypeError', () => t.WebSocket('ws://localhost/'));
      t.throws('TypeError', () => t.open(Symbol('url')));
    },
  },
  {
    id: 'construction/url-conversion-throws',
    title: 'what the conversion of the URL throws comes out as it is',
    spec: 'webidl: USVString',
    run(t) {
      const mine = new RangeError('mine');
      let caught;
      try {
        t.open({ toString() { throw mine; } });
      } catch (error) {
        caught = error;
      }
      t.equal(caught, mine, 'thrown');
    },
  },
  {
    id: 'construction/credentials',
    title: 'a name and a password stay in url',
    spec: 'websockets: url',
    run(t) {
      t.equal(t.open('ws://name:secret@localhost:4/').url, 'ws://name:secret@localhost:4/');
    },
  },
  {
    id: 'construction/blocked-port',
    title: 'a port that browsers block fails later, with no exception',
    spec: 'fetch: bad port',
    async run(t) {
      const socket = t.open('ws://127.0.0.1:1/');
      t.equal(socket.readyState, 0, 'readyState');
      const log = t.record(socket);
      await log.until('close');
      t.same(log.story, ['error', 'close 1006, not clean']);
    },
  },
  {
    id: 'construction/handshake',
    title: 'the handshake asks for what was given',
    spec: 'rfc6455 4.1',
    async run(t) {
      const { peer, url } = await t.connected({});
      const { method, target, headers } = peer.request;
      t.equal(method, 'GET', 'method');
      t.equal(`ws://${headers.host}${target}`, url, 'host and target');
      t.equal(headers.upgrade, 'websocket', 'Upgrade');
      t.equal(headers.connection, 'Upgrade', 'Connection');
      t.equal(headers['sec-websocket-version'], '13', 'version');
      t.equal(atob(headers['sec-websocket-key']).length, 16, 'bytes of the key');
      t.equal(headers.origin, location.origin, 'Origin');
      t.equal(headers['sec-websocket-protocol'], undefined, 'protocols');
    },
  },
  {
    id: 'construction/cookies',
    title: 'cookies of the host are sent with the handshake',
    spec: 'websockets: establish a connection',
    async run(t) {
      document.cookie = 'conformance=1; path=/peer/construction/cookies.0';
      const { peer } = await t.connected({});
      t.equal(peer.request.headers.cookie, 'conformance=1', 'Cookie');
    },
  },
  {
    id: 'construction/asynchronous',
    title: 'nothing happens before the constructing task and its microtasks are over',
    spec,
    async run(t) {
      const socket = t.open(t.url({ steps: [text('early'), close(1000)] }));
      const untilThen = performance.now() + 60;
      // The answer arrives while this task holds the thread.
      while (performance.now() < untilThen) t.equal(socket.readyState, 0, 'readyState');
      await null;
      const log = t.record(socket);
      await log.until('close');
      t.same(log.story, ['open', 'message early', 'close 1000']);
    },
  },
  {
    id: 'construction/two-at-once',
    title: 'two sockets to one URL are two connections',
    spec,
    async run(t) {
      const url = t.url({ echo: true });
      const logs = [t.record(t.open(url)), t.record(t.open(url))];
      await Promise.all(logs.map((log) => log.until('open')));
      await t.until(() => t.peer(url).connections.length === 2, 'two connections');
    },
  },
];
