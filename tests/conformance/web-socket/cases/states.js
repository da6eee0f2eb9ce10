// readyState, stage by stage.

import { RESET, close, text, until } from '../script.js';

const spec = 'websockets: readyState';

export default [
  {
    id: 'states/whole-life',
    title: 'CONNECTING, OPEN, CLOSING, CLOSED, each seen by the listener of its time',
    spec,
    async run(t) {
      const { socket, log } = t.connect({ steps: [text('x')] });
      t.equal(socket.readyState, 0, 'after construction');
      await log.until('message');
      t.equal(socket.readyState, 1, 'when open');
      socket.close();
      t.equal(socket.readyState, 2, 'after close()');
      await log.until('close');
      t.equal(socket.readyState, 3, 'at the end');
      t.same(log.entries.map(({ type, readyState }) => `${type} ${readyState}`), ['open 1', 'message 1', 'close 3']);
    },
  },
  {
    id: 'states/closing-while-connecting',
    title: 'close() while CONNECTING makes it CLOSING at once',
    spec: 'websockets: close()',
    async run(t) {
      const { socket, log } = t.connect({ hold: 'go' });
      socket.close();
      t.equal(socket.readyState, 2, 'after close()');
      await log.until('close');
      t.equal(socket.readyState, 3, 'at the end');
    },
  },
  {
    id: 'states/held-handshake',
    title: 'it stays CONNECTING as long as the server does not answer',
    spec,
    async run(t) {
      const { socket, log, peer } = t.connect({ hold: 'go' });
      await t.until(() => peer.request, 'the handshake');
      await t.quiet();
      t.equal(socket.readyState, 0, 'before the answer');
      t.same(log.story, [], 'events');
      peer.go();
      await log.until('open');
      t.equal(socket.readyState, 1, 'after it');
    },
  },
  {
    id: 'states/failed',
    title: 'a failed connection is CLOSED in the listeners of error and of close',
    spec: 'websockets: fail the connection',
    async run(t) {
      const { log } = t.connect({ status: 404 });
      await log.until('close');
      t.same(log.entries.map(({ type, readyState }) => `${type} ${readyState}`), ['error 3', 'close 3']);
    },
  },
  {
    id: 'states/closed-by-server',
    title: "a server's Close shows as CLOSED in the listener of close",
    spec,
    async run(t) {
      const { log, socket, peer } = await t.connected({ steps: [until('go'), close(1000)] });
      t.equal(socket.readyState, 1, 'before');
      t.equal(log.entries[0].readyState, 1, 'in the listener of open');
      peer.go();
      await log.until('close');
      t.equal(log.entries.at(-1).readyState, 3, 'in the listener of close');
    },
  },
  {
    id: 'states/lost',
    title: 'a lost connection is CLOSED in the listener of close',
    spec,
    async run(t) {
      const { log, peer } = await t.connected({ steps: [until('go'), RESET] });
      peer.go();
      await log.until('close');
      t.same(log.entries.map(({ type, readyState }) => `${type} ${readyState}`), ['open 1', 'close 3']);
    },
  },
];
