// Handshakes that fail, and servers that break the protocol. The page learns nothing but: error, then close with 1006.

import { binary, close, fragments, frame, text, until } from '../script.js';

const WRONG = { 'Sec-WebSocket-Accept': btoa('x'.repeat(20)) };

const handshakes = {
  'status-404': ['404', { status: 404 }],
  'status-401': ['401', { status: 401, headers: { 'WWW-Authenticate': 'Bearer' } }],
  'status-200': ['200', { status: 200 }],
  'status-503': ['503 with Retry-After', { status: 503, headers: { 'Retry-After': '1' } }],
  redirect: ['a redirect, which is not followed', { status: 302, headers: { Location: '/elsewhere' } }],
  'no-upgrade': ['101 without Upgrade', { headers: { Upgrade: null } }],
  'other-upgrade': ['101 with another Upgrade', { headers: { Upgrade: 'h2c' } }],
  'no-connection': ['101 without Connection', { headers: { Connection: null } }],
  'no-accept': ['101 without Sec-WebSocket-Accept', { headers: { 'Sec-WebSocket-Accept': null } }],
  'wrong-accept': ['101 with a wrong Sec-WebSocket-Accept', { headers: WRONG }],
  'two-accepts': ['101 with two Sec-WebSocket-Accept', { headers: { 'Sec-WebSocket-Accept': ['a', 'b'] } }],
  'not-http': ['an answer that is not HTTP', { raw: 'Hello, who is there?\r\n\r\n' }],
  'no-answer': ['a connection that ends without an answer', { refuse: 'end' }],
  reset: ['a connection that is reset without an answer', { refuse: 'reset' }],
};

const breaches = {
  'invalid-utf8': ['text that is no UTF-8', [text([0x61, 0xff])]],
  'surrogate-utf8': ['text with an encoded surrogate', [text([0xed, 0xa0, 0x80])]],
  'overlong-utf8': ['text with an overlong letter', [text([0xc0, 0xaf])]],
  'cut-utf8': ['text that ends within a letter', [text([0xf0, 0x9f, 0x8c])]],
  'invalid-utf8-in-fragments': ['text in fragments that is no UTF-8', fragments('text', [[0xc3], [0x28]])],
  'reserved-opcode': ['a frame of an unknown kind', [frame(3, 'x')]],
  'reserved-control-opcode': ['a control frame of an unknown kind', [frame(11, 'x')]],
  'reserved-bit': ['a reserved bit', [text('x', { reserved: 1 })]],
  'compressed-unasked': ['compression that was not agreed', [text('x', { isDeflated: true })]],
  masked: ['a masked frame', [text('x', { isMasked: true })]],
  'long-ping': ['a ping of 126 bytes', [frame('ping', 'x'.repeat(126))]],
  'fragmented-ping': ['a ping in fragments', [frame('ping', 'x', { isFinal: false })]],
  'lone-continuation': ['a continuation of nothing', [frame('continuation', 'x')]],
  'interrupted-fragments': ['a new message within another', [text('a', { isFinal: false }), text('b')]],
  'length-in-two-bytes': ['a length in two bytes where none is needed', [text('x', { lengthBytes: 2 })]],
  'length-in-eight-bytes': ['a length in eight bytes where two would do', [text('x'.repeat(200), { lengthBytes: 8 })]],
  'impossible-length': ['a length beyond 63 bits', [{ bytes: [0x82, 127, 255, 255, 255, 255, 255, 255, 255, 255] }]],
  'close-of-one-byte': ['a Close frame of one byte', [frame('close', [3])]],
  'close-invalid-utf8': ['a Close frame whose reason is no UTF-8', [frame('close', [0x03, 0xe8, 0xff])]],
  'close-1005': ['a Close frame with 1005', [close(1005)]],
  'close-1006': ['a Close frame with 1006', [close(1006)]],
  'close-1015': ['a Close frame with 1015', [close(1015)]],
};

export default [
  ...Object.entries(handshakes).map(([name, [what, script]]) => ({
    id: `failing/${name}`,
    title: `${what}: error, then close with 1006, once each`,
    spec: 'websockets: establish a connection',
    async run(t) {
      const { socket, log, peer } = t.connect(script);
      const event = await log.until('close');
      await t.quiet();
      t.same(log.story, ['error', 'close 1006, not clean']);
      t.equal(event.reason, '', 'reason');
      t.equal(socket.readyState, 3, 'readyState');
      t.equal(peer.connections.length, 1, 'connections');
    },
  })),
  {
    id: 'failing/refused',
    title: 'a port where nobody listens: error, then close with 1006',
    spec: 'websockets: establish a connection',
    async run(t) {
      const log = t.record(t.open('ws://127.0.0.1:4/'));
      await log.until('close');
      t.same(log.story, ['error', 'close 1006, not clean']);
    },
  },
  {
    id: 'failing/not-tls',
    title: 'wss: to a server without TLS: error, then close with 1006',
    spec: 'websockets: establish a connection',
    async run(t) {
      const log = t.record(t.open(t.url().replace('ws:', 'wss:')));
      await log.until('close');
      t.same(log.story, ['error', 'close 1006, not clean']);
    },
  },
  {
    id: 'failing/error-event',
    title: 'the event of an error is a plain Event that says nothing',
    spec: 'websockets: fail the connection',
    async run(t) {
      const { socket, log } = t.connect({ status: 500 });
      const event = await log.until('error');
      t.equal(event.constructor, Event, 'class');
      t.equal(event.message, undefined, 'message');
      t.equal(event.target, socket, 'target');
      t.same([event.bubbles, event.cancelable, event.composed], [false, false, false], 'bubbles, cancelable, composed');
    },
  },
  {
    id: 'failing/asynchronous',
    title: 'a failure is told in a later task, however quick it was',
    spec: 'websockets: fail the connection',
    async run(t) {
      const socket = t.open('ws://127.0.0.1:1/');
      await null;
      const log = t.record(socket);
      await log.until('close');
      t.same(log.story, ['error', 'close 1006, not clean']);
    },
  },
  {
    id: 'failing/attributes',
    title: 'after a failure protocol, extensions and bufferedAmount are as at first, and url stays',
    spec: 'websockets: interface WebSocket',
    async run(t) {
      const { socket, log, url } = t.connect({ status: 404 }, ['a']);
      await log.until('close');
      t.same([socket.protocol, socket.extensions, socket.bufferedAmount, socket.url], ['', '', 0, url]);
    },
  },
  ...Object.entries(breaches).map(([name, [what, steps]]) => ({
    id: `failing/${name}`,
    title: `${what}: what came before is heard, then error and close`,
    spec: 'rfc6455 5, 7.1.7',
    async run(t) {
      // Behind a Close frame anything more would be a breach of its own.
      const more = steps[0].frame?.opcode === 'close' ? [] : [text('unheard')];
      const { log, peer } = t.connect({ steps: [binary([1]), text('fine'), until('go'), ...steps, ...more] });
      await log.until('message', 2);
      peer.go();
      await log.until('close');
      await t.quiet();
      t.same(log.story, ['open', 'message Blob of 1', 'message fine', 'error', 'close 1006, not clean']);
      t.equal((await t.closeFrame(peer)).code, 1002, 'code that the server is told');
    },
  })),
];
