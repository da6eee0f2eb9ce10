// Subprotocols and extensions: what may be asked for, what the server may choose.

import { close, text } from '../script.js';

const spec = 'websockets: new WebSocket(url, protocols)';
const chosen = (name, rest) => ({ headers: { 'Sec-WebSocket-Protocol': name }, ...rest });

async function failsAgainst(t, script, protocols) {
  const { log, socket } = t.connect(script, protocols);
  await log.until('close');
  t.same(log.story, ['error', 'close 1006, not clean']);
  t.equal(socket.protocol, '', 'protocol');
}

export default [
  {
    id: 'protocols/string',
    title: 'one protocol is given as text',
    spec,
    async run(t) {
      const { peer, socket } = await t.connected(chosen('chat'), 'chat');
      t.equal(peer.request.headers['sec-websocket-protocol'], 'chat', 'asked for');
      t.equal(socket.protocol, 'chat', 'protocol');
    },
  },
  {
    id: 'protocols/array',
    title: 'several are asked for in their order, and the server takes one',
    spec,
    async run(t) {
      const { peer, socket } = await t.connected(chosen('b'), ['a', 'b', 'c']);
      t.equal(peer.request.headers['sec-websocket-protocol'], 'a, b, c', 'asked for');
      t.equal(socket.protocol, 'b', 'protocol');
    },
  },
  {
    id: 'protocols/empty-array',
    title: 'an empty list asks for none',
    spec,
    async run(t) {
      const { peer, socket } = await t.connected({}, []);
      t.ok(!('sec-websocket-protocol' in peer.request.headers), 'no header');
      t.equal(socket.protocol, '', 'protocol');
    },
  },
  {
    id: 'protocols/iterable',
    title: 'any iterable is a list',
    spec: 'webidl: sequence<DOMString>',
    async run(t) {
      const { peer } = await t.connected(chosen('b'), new Set(['a', 'b']));
      t.equal(peer.request.headers['sec-websocket-protocol'], 'a, b', 'asked for');
    },
  },
  {
    id: 'protocols/converted',
    title: 'other values become text: null is asked for as "null"',
    spec: 'webidl: DOMString',
    async run(t) {
      const { peer } = await t.connected(chosen('null'), null);
      t.equal(peer.request.headers['sec-websocket-protocol'], 'null', 'asked for');
      const number = await t.connected(chosen('12'), 12);
      t.equal(number.peer.request.headers['sec-websocket-protocol'], '12', 'asked for');
    },
  },
  {
    id: 'protocols/duplicate',
    title: 'one protocol twice is a SyntaxError',
    spec,
    run(t) {
      t.throws('SyntaxError', () => t.open(t.url(), ['a', 'a']));
    },
  },
  {
    id: 'protocols/case',
    title: 'protocols that differ in case are two',
    spec,
    async run(t) {
      const { socket } = await t.connected(chosen('A'), ['a', 'A']);
      t.equal(socket.protocol, 'A', 'protocol');
    },
  },
  {
    id: 'protocols/invalid',
    title: 'what is no HTTP token is a SyntaxError: empty text, spaces, separators, other letters',
    spec,
    run(t) {
      for (const name of ['', ' ', 'a b', 'a,b', 'a/b', 'a@b', 'a:b', '"a"', 'a\u0000', 'a\u007f', 'ä', '\u2028', ['fine', ''], {}]) {
        t.throws('SyntaxError', () => t.open(t.url(), name), JSON.stringify(name));
      }
    },
  },
  {
    id: 'protocols/odd-tokens',
    title: 'every character of a token is allowed',
    spec: 'rfc2616 2.2',
    async run(t) {
      const { socket } = await t.connected(chosen("!#$%&'*+-.^_`|~aZ09"), "!#$%&'*+-.^_`|~aZ09");
      t.equal(socket.protocol, "!#$%&'*+-.^_`|~aZ09", 'protocol');
    },
  },
  {
    id: 'protocols/url-first',
    title: 'the URL is judged before the protocols are',
    spec,
    run(t) {
      const error = t.throws('SyntaxError', () => t.open('ws://localhost:99999/', 'a b'));
      t.ok(/URL|url/.test(error.message), `a message about the URL: ${error.message}`);
    },
  },
  {
    id: 'protocols/before-and-after',
    title: 'protocol is empty until the socket is open, and stays afterwards',
    spec: 'websockets: protocol',
    async run(t) {
      const { socket, log } = t.connect(chosen('chat', { steps: [close(1000)] }), ['chat']);
      t.equal(socket.protocol, '', 'while connecting');
      let atOpen;
      socket.onopen = () => { atOpen = socket.protocol; };
      await log.until('close');
      t.equal(atOpen, 'chat', 'in the listener of open');
      t.equal(socket.protocol, 'chat', 'after the end');
    },
  },
  {
    id: 'protocols/none-chosen',
    title: 'a server that chooses none of those asked for fails the connection',
    spec: 'websockets: establish a connection',
    run: (t) => failsAgainst(t, {}, ['a', 'b']),
  },
  {
    id: 'protocols/not-asked-for',
    title: 'so does one that chooses what was not asked for',
    spec: 'rfc6455 4.1',
    run: (t) => failsAgainst(t, chosen('c'), ['a', 'b']),
  },
  {
    id: 'protocols/unasked',
    title: 'and one that chooses though nothing was asked for',
    spec: 'rfc6455 4.1',
    run: (t) => failsAgainst(t, chosen('a')),
  },
  {
    id: 'protocols/other-case-chosen',
    title: 'and one that answers in another case',
    spec: 'rfc6455 4.1',
    run: (t) => failsAgainst(t, chosen('CHAT'), 'chat'),
  },
  {
    id: 'protocols/two-chosen',
    title: 'and one that chooses two',
    spec: 'rfc6455 4.1',
    run: (t) => failsAgainst(t, chosen(['a', 'b']), ['a', 'b']),
  },
  {
    id: 'extensions/none',
    title: 'extensions is empty before, and after if the server took none',
    spec: 'websockets: extensions',
    async run(t) {
      const { socket, log, peer } = t.connect({});
      t.equal(socket.extensions, '', 'while connecting');
      await log.until('open');
      t.equal(socket.extensions, '', 'when open');
      await t.until(() => peer.request, 'the handshake');
      t.ok(peer.request.headers['sec-websocket-extensions'].startsWith('permessage-deflate'), 'compression is offered');
    },
  },
  {
    id: 'extensions/deflate',
    title: 'compression that the server took is named, and messages are compressed both ways',
    spec: 'rfc7692',
    async run(t) {
      const { socket, log, peer } = await t.connected({
        headers: { 'Sec-WebSocket-Extensions': 'permessage-deflate; server_no_context_takeover; client_no_context_takeover' },
        steps: [text('over and over and over and over', { isDeflated: true }), text('plain')],
      });
      t.ok(socket.extensions.startsWith('permessage-deflate'), `extensions: ${socket.extensions}`);
      socket.send('ab'.repeat(500));
      t.equal(socket.bufferedAmount, 1000, 'bufferedAmount is that of what was given');
      await log.until('message', 2);
      t.same(log.data, ['over and over and over and over', 'plain']);
      const frame = await t.until(() => peer.frames[0], 'a frame');
      t.equal(frame.reserved, 4, 'the compressed bit');
      t.ok(frame.length < 100, `compressed: ${frame.length} bytes`);
    },
  },
  {
    id: 'extensions/unknown',
    title: 'an extension that was not offered fails the connection',
    spec: 'rfc6455 4.1',
    run: (t) => failsAgainst(t, { headers: { 'Sec-WebSocket-Extensions': 'something-else' } }),
  },
];
