// What code written for the usual reconnecting wrappers relies on.

import { RESET, until } from '../script.js';
import { codes, manage } from './common.js';

const LOST = { steps: [until('go'), RESET] };
const FAST = { minReconnectionDelay: 10, maxReconnectionDelay: 40, reconnectionDelayGrowFactor: 1.3, minUptime: 5000, debug: false };
const wrap = (t, scripts, options) => manage(t, scripts, { retry: undefined, ...FAST, ...options });

export default [
  {
    id: 'wrappers/no-protocols',
    title: 'null, undefined and an empty list beside options are no protocols',
    async run(t) {
      for (const protocols of [null, undefined, []]) {
        const url = t.url();
        const log = t.record(t.open(url, protocols, FAST));
        await log.until('open');
        await t.until(() => t.peer(url).request, 'the handshake');
        t.equal(t.peer(url).request.headers['sec-websocket-protocol'], undefined, `of ${protocols}`);
      }
    },
  },
  {
    id: 'wrappers/counts',
    title: 'retryCount counts, and shouldReconnect says whether it goes on',
    async run(t) {
      const { socket, log } = wrap(t, [{ refuse: 'reset' }]);
      t.same([socket.retryCount, socket.shouldReconnect], [0, true]);
      await log.until('close', 3);
      t.ok(socket.retryCount >= 2, `retryCount ${socket.retryCount}`);
      socket.close();
      t.same([socket.retryCount, socket.shouldReconnect], [0, false]);
    },
  },
  {
    id: 'wrappers/max-retries',
    title: 'maxRetries is the number of connections after the first',
    async run(t) {
      const { socket, log, peers: [peer] } = wrap(t, [{ refuse: 'reset' }], { maxRetries: 3 });
      await t.until(() => socket.readyState === 3, 'CLOSED');
      await t.quiet();
      t.same([peer.connections.length, codes(log).at(-1), socket.shouldReconnect], [4, 'gave-up', false]);
    },
  },
  {
    id: 'wrappers/delays',
    title: 'minReconnectionDelay is waited at least',
    async run(t) {
      const { log, peers: [peer] } = wrap(t, [LOST], { minReconnectionDelay: 5000, maxReconnectionDelay: 6000 });
      await log.until('open');
      await t.until(() => peer.request, 'the handshake');
      const before = Date.now();
      peer.go();
      const { retryAt } = await log.until('close');
      t.ok(retryAt >= before + 4990 && retryAt <= Date.now() + 6010, `5 s to 6 s: ${retryAt - before}`);
    },
  },
  {
    id: 'wrappers/max-enqueued',
    title: 'maxEnqueuedMessages drops what is too much, without an exception',
    async run(t) {
      const { socket, peers: [peer], log } = wrap(t, [{ hold: 'go' }], { maxEnqueuedMessages: 2 });
      for (const message of ['1', '2', '3']) socket.send(message);
      peer.go();
      await log.until('open');
      socket.send('4');
      await t.until(() => peer.messages.length === 3, 'three messages');
      t.same(peer.messages, ['1', '2', '4']);
    },
  },
  {
    id: 'wrappers/connection-timeout',
    title: 'connectionTimeout gives a handshake up',
    async run(t) {
      const { log } = wrap(t, [{ hold: 'go' }, {}], { connectionTimeout: 500 });
      await log.until('open');
      t.equal(codes(log)[0], 'connect-timeout', 'code');
    },
  },
  {
    id: 'wrappers/start-closed',
    title: 'with startClosed there is no connection until reconnect()',
    async run(t) {
      const { socket, log, peers: [peer] } = wrap(t, [{}], { startClosed: true });
      t.same([socket.readyState, socket.shouldReconnect, socket.retryCount], [3, false, 0]);
      await t.quiet();
      t.equal(peer.connections.length, 0, 'connections');
      socket.reconnect();
      await log.until('open');
      t.same([log.story, socket.readyState], [['open'], 1]);
    },
  },
  {
    id: 'wrappers/reconnect',
    title: 'reconnect() closes with its code, tells close, and opens anew',
    async run(t) {
      const { socket, log, peers: [peer] } = wrap(t, [{}]);
      await log.until('open');
      socket.reconnect(3001, 'anew');
      t.same([log.story, socket.readyState], [['open', 'close 3001 anew'], 0]);
      t.equal(log.events('close')[0].willReconnect, true, 'willReconnect');
      await log.until('open', 2);
      await t.until(() => peer.connections.length === 2, 'two connections');
      t.same(await t.closeFrame(peer), { code: 3001, reason: 'anew' });
      t.same(log.story, ['open', 'close 3001 anew', 'open']);
    },
  },
  {
    id: 'wrappers/reconnect-after-end',
    title: 'reconnect() goes on after close() and after it gave up',
    async run(t) {
      const { socket, log } = wrap(t, [{ refuse: 'reset' }, {}], { maxRetries: 0 });
      await log.until('close');
      t.equal(socket.readyState, 3, 'readyState');
      socket.reconnect();
      await log.until('open');
      socket.close();
      await log.until('close', 2);
      socket.reconnect();
      await log.until('open', 2);
      t.same(log.story, ['error', 'close 1006, not clean', 'open', 'close 1005', 'open']);
    },
  },
  {
    id: 'wrappers/reconnect-while-waiting',
    title: 'reconnect() does not wait for the next attempt',
    async run(t) {
      const { socket, log } = wrap(t, [{ refuse: 'reset' }, {}], { minReconnectionDelay: 60_000, maxReconnectionDelay: 60_000 });
      await log.until('close');
      socket.reconnect();
      await log.until('open');
      t.same(log.story, ['error', 'close 1006, not clean', 'open']);
    },
  },
  {
    id: 'wrappers/own-class',
    title: 'the option WebSocket is the class that is used',
    async run(t) {
      let made = 0;
      class Own extends globalThis.WebSocket {
        constructor(...given) {
          super(...given);
          made += given.length;
        }
      }
      const { log } = wrap(t, [{}], { WebSocket: Own });
      await log.until('open');
      t.equal(made, 1, 'arguments');
    },
  },
];
