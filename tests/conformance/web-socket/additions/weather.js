// The page goes offline, is left and comes back. One at a time: the signals are the whole page's.

import { text } from '../script.js';
import { codes, manage } from './common.js';

const tell = (type) => window.dispatchEvent(new Event(type));

/** @type {import('../cases/index.js').Case[]} */
export const cases = [
  {
    id: 'weather/offline',
    title: 'while the page is offline nothing is tried, and once it is online it is tried at once',
    async run(t) {
      const { socket, log, peers: [peer] } = manage(t, [{ steps: [text('hi'), { wait: 'go' }, { act: 'reset' }] }]);
      await log.until('message');
      tell('offline');
      peer.go();
      const { willReconnect, retryAt } = await log.until('close');
      t.same([willReconnect, retryAt, socket.readyState], [true, null, 0]);
      // Whoever tried again would have done so by now: the waits are of 40 ms at most.
      await new Promise((resolve) => { setTimeout(resolve, 120); });
      t.equal(peer.connections.length, 1, 'connections');
      tell('online');
      await log.until('message', 2);
      t.same(log.story, ['open', 'message hi', 'close 1006, not clean', 'open', 'message hi']);
    },
  },
  {
    id: 'weather/offline-and-silent',
    title: 'a connection that said nothing since the network went is made anew when it is back',
    async run(t) {
      const { log, peers: [peer] } = manage(t, [{}]);
      await log.until('open');
      tell('offline');
      tell('online');
      await log.until('open', 2);
      t.same([log.story, codes(log)], [['open', 'error', 'close 1006, not clean', 'open'], ['disconnected']]);
      await t.until(() => peer.connections[0].isGone, 'the first connection gone');
    },
  },
  {
    id: 'weather/left',
    title: 'a page that is left closes, and goes on when it is shown again',
    async run(t) {
      const { socket, log, peers: [peer] } = manage(t, [{}]);
      await log.until('open');
      await t.until(() => peer.request, 'the handshake');
      tell('pagehide');
      t.same([log.story, socket.readyState], [['open', 'close 1006, not clean'], 0], 'within the call');
      t.same([log.events('close')[0].willReconnect, log.events('close')[0].retryAt], [true, null]);
      await t.until(() => peer.isGone, 'the connection gone');
      socket.send('waits');
      tell('pageshow');
      await log.until('open', 2);
      await t.until(() => peer.messages.length === 1, 'a message');
      t.equal(peer.connections.length, 2, 'connections');
    },
  },
  {
    id: 'weather/left-single',
    title: 'with retry: false the page is not listened to',
    async run(t) {
      const { log, socket } = manage(t, [{ echo: true }], { retry: false });
      await log.until('open');
      tell('pagehide');
      tell('pageshow');
      tell('offline');
      tell('online');
      socket.send('still there');
      await log.until('message');
      t.same(log.story, ['open', 'message still there']);
    },
  },
  {
    id: 'weather/left-while-asking',
    title: 'an answer for a page that was left is not used',
    async run(t) {
      const urls = [t.url(), t.url()];
      const answers = [];
      const socket = t.open(() => new Promise((resolve) => { answers.push(resolve); }), undefined, {});
      const log = t.record(socket);
      await t.until(() => answers.length === 1, 'asked');
      tell('pagehide');
      answers[0](urls[0]);
      await t.quiet();
      tell('pageshow');
      await t.until(() => answers.length === 2, 'asked again');
      answers[1](urls[1]);
      await log.until('open');
      await t.quiet();
      t.same(urls.map((url) => t.peer(url).connections.length), [0, 1]);
    },
  },
];
