// A socket that is lost is made again, and who listens hears of each.

import { RESET, close, text, until } from '../script.js';
import { QUICK, codes, manage } from './common.js';

const REFUSED = { refuse: 'reset' };
const LOST = { steps: [until('go'), RESET] };

export default [
  {
    id: 'reconnecting/after-a-reset',
    title: 'a reset connection is made again, with open, message and close each time',
    async run(t) {
      const { socket, log, peers: [peer] } = manage(t, [{ steps: [text('hi'), until('go'), RESET] }]);
      await log.until('message');
      peer.go();
      await log.until('message', 2);
      t.same(log.story, ['open', 'message hi', 'close 1006, not clean', 'open', 'message hi']);
      t.same(log.entries.map(({ readyState }) => readyState), [1, 1, 0, 1, 1], 'readyState');
      t.equal(socket.readyState, 1, 'readyState');
    },
  },
  {
    id: 'reconnecting/close-event',
    title: 'the close event says that, and when, it will be tried again, and why it was lost',
    async run(t) {
      const { log, peers: [peer] } = manage(t, [LOST], { retry: { baseMs: 60_000, capMs: 60_000 } });
      await log.until('open');
      await t.until(() => peer.request, 'the handshake');
      const before = Date.now();
      peer.go();
      const { willReconnect, retryAt, error } = await log.until('close');
      t.same([willReconnect, error.code, error.retryable], [true, 'disconnected', true]);
      t.ok(retryAt >= before && retryAt <= Date.now() + 60_000, `within a minute: ${retryAt - before}`);
      t.equal(error.retryAt, retryAt, 'retryAt of the error');
    },
  },
  {
    id: 'reconnecting/first-attempt-fails',
    title: 'so is one that failed at first: error, close, and then open',
    async run(t) {
      const { socket, log } = manage(t, [REFUSED, REFUSED, {}]);
      await log.until('open');
      t.same(log.story, ['error', 'close 1006, not clean', 'error', 'close 1006, not clean', 'open']);
      t.same(log.entries.map(({ readyState }) => readyState), [0, 0, 0, 0, 1], 'readyState');
      t.same(codes(log), ['connect-failed', 'connect-failed']);
      t.equal(socket.readyState, 1, 'readyState');
    },
  },
  {
    id: 'reconnecting/url-function',
    title: 'URL and protocols may be functions, also async ones, and are asked anew for each attempt',
    async run(t) {
      const chosen = (name) => ({ headers: { 'Sec-WebSocket-Protocol': name }, steps: [until('go'), RESET] });
      const urls = [t.url(chosen('a')), t.url(chosen('b'))];
      let asked = 0;
      const socket = t.open(async () => urls[asked++ % 2], () => (asked % 2 ? ['a'] : 'b'), { retry: QUICK });
      const log = t.record(socket);
      t.same([socket.readyState, socket.url, socket.protocol], [0, '', '']);
      await log.until('open');
      t.same([socket.url, socket.protocol], [urls[0], 'a']);
      t.peer(urls[0]).go();
      await log.until('open', 2);
      t.same([socket.url, socket.protocol, asked], [urls[1], 'b', 2]);
    },
  },
  {
    id: 'reconnecting/url-function-throws',
    title: 'a function that throws, or rejects, or gives no URL, is a failed attempt with its error as the cause',
    async run(t) {
      const mine = new Error('mine');
      const answers = [() => { throw mine; }, () => Promise.reject(mine), () => 'http://[', () => t.url()];
      const log = t.record(t.open(() => answers.shift()(), undefined, { retry: QUICK }));
      await log.until('open');
      t.same(log.story, [...Array(3).fill(['error', 'close 1006, not clean']).flat(), 'open']);
      const causes = log.events('error').map(({ error }) => error.cause);
      t.same([causes[0] === mine, causes[1] === mine, causes[2].name], [true, true, 'SyntaxError']);
    },
  },
  {
    id: 'reconnecting/retry-false',
    title: 'with retry: false it is one native socket, and the close event says so',
    async run(t) {
      const { socket, log, peers: [peer] } = manage(t, [LOST], { retry: false });
      await log.until('open');
      await t.until(() => peer.request, 'the handshake');
      peer.go();
      const { willReconnect, retryAt, error } = await log.until('close');
      t.same([willReconnect, retryAt, error.code, socket.readyState], [false, null, 'disconnected', 3]);
      t.equal(socket.shouldReconnect, false, 'shouldReconnect');
    },
  },
  {
    id: 'reconnecting/binary-type',
    title: 'binaryType holds for all connections',
    async run(t) {
      const { socket, log, peers: [peer] } = manage(t, [{ steps: [until('go'), { bytes: [0x82, 1, 7] }, RESET] }]);
      socket.binaryType = 'arraybuffer';
      for (const count of [1, 2]) {
        await log.until('open', count);
        await t.until(() => peer.connections.length === count, 'the handshake');
        peer.go();
        await log.until('message', count);
      }
      t.ok(log.data.every((data) => data instanceof ArrayBuffer), 'ArrayBuffers');
    },
  },
  {
    id: 'reconnecting/budget-spent',
    title: 'when the attempts are used up it is CLOSED, and the error says gave-up, how often, and why',
    async run(t) {
      const { socket, log, peers: [peer] } = manage(t, [REFUSED], { retry: { ...QUICK, maxAttempts: 2 } });
      await t.until(() => socket.readyState === 3, 'CLOSED');
      const { willReconnect, retryAt } = await log.until('close', 3);
      t.same([willReconnect, retryAt], [false, null]);
      t.same(codes(log), ['connect-failed', 'connect-failed', 'gave-up']);
      const { error } = log.events('error')[2];
      t.same([error.attempts, error.retryable, error.cause.code], [2, true, 'connect-failed']);
      t.equal(peer.connections.length, 3, 'connections');
    },
  },
  {
    id: 'reconnecting/budget-in-time',
    title: 'so it is when the time is used up',
    async run(t) {
      const { log } = manage(t, [REFUSED], { retry: { ...QUICK, giveUpAfterMs: 500 } });
      await t.until(() => codes(log).includes('gave-up'), 'gave-up');
      t.same([codes(log)[0], codes(log).at(-1)], ['connect-failed', 'gave-up']);
    },
  },
  {
    id: 'reconnecting/close-while-waiting',
    title: 'close() between two connections: error and close in later tasks, and no connection any more',
    async run(t) {
      const { socket, log, peers: [peer] } = manage(t, [LOST], { retry: { baseMs: 60_000, capMs: 60_000 } });
      await log.until('open');
      await t.until(() => peer.request, 'the handshake');
      peer.go();
      await log.until('close');
      t.throws('InvalidAccessError', () => socket.close(1));
      t.throws('SyntaxError', () => socket.close(1000, 'x'.repeat(124)));
      t.equal(socket.readyState, 0, 'readyState');
      socket.close(1000);
      t.equal(socket.readyState, 2, 'readyState after close()');
      await null;
      t.equal(log.story.length, 2, 'events in a microtask');
      const { willReconnect } = await log.until('close', 2);
      t.same([log.story.slice(2), willReconnect, socket.readyState], [['error', 'close 1006, not clean'], false, 3]);
      t.equal(codes(log)[0], 'aborted', 'code');
    },
  },
  {
    id: 'reconnecting/close-while-asking',
    title: 'close() while the URL is asked for: the answer is not used',
    async run(t) {
      const url = t.url();
      let answer;
      const socket = t.open(() => new Promise((resolve) => { answer = () => resolve(url); }), undefined, {});
      const log = t.record(socket);
      t.throws('InvalidAccessError', () => socket.close(1));
      await t.until(() => answer, 'asked');
      socket.close();
      answer();
      await log.until('close');
      await t.quiet();
      t.same([log.story, t.peer(url).connections.length], [['error', 'close 1006, not clean'], 0]);
    },
  },
  {
    id: 'reconnecting/close-in-close',
    title: 'close() in the listener of close: no connection any more',
    async run(t) {
      const { socket, log, peers: [peer] } = manage(t, [LOST]);
      socket.onclose = () => socket.close();
      await log.until('open');
      await t.until(() => peer.request, 'the handshake');
      peer.go();
      await log.until('close', 2);
      await t.quiet();
      t.same([socket.readyState, peer.connections.length], [3, 1]);
    },
  },
  {
    id: 'reconnecting/close-in-error',
    title: 'close() in the listener of error: the same, and close is told once',
    async run(t) {
      const { socket, log, peers: [peer] } = manage(t, [REFUSED]);
      socket.onerror = () => socket.close();
      await log.until('close');
      await t.quiet();
      t.same([log.events('close').length, socket.readyState, peer.connections.length], [1, 3, 1]);
    },
  },
  {
    id: 'reconnecting/close-in-error-of-ours',
    title: 'the same where no native socket tells: the URL could not be had',
    async run(t) {
      const socket = t.open(() => Promise.reject(new Error('none')), undefined, { retry: QUICK });
      const log = t.record(socket);
      socket.onerror = () => socket.close();
      const { willReconnect } = await log.until('close');
      await t.quiet();
      t.same([log.story, willReconnect, socket.readyState], [['error', 'close 1006, not clean'], false, 3]);
    },
  },
  {
    id: 'reconnecting/clean-close-by-page',
    title: 'close() on an open socket ends it, with a clean close event that says so',
    async run(t) {
      const { socket, log, peers: [peer] } = manage(t, [{}]);
      await log.until('open');
      socket.close(3000, 'done');
      const { willReconnect, error } = await log.until('close');
      t.same([log.story, willReconnect, error], [['open', 'close 3000 done'], false, null]);
      await t.quiet();
      t.equal(peer.connections.length, 1, 'connections');
    },
  },
  {
    id: 'reconnecting/server-1000',
    title: "a server's clean close is a lost connection, too",
    async run(t) {
      const { log } = manage(t, [{ steps: [close(1000, 'restart')] }]);
      await log.until('open', 2);
      t.same(log.story.slice(0, 3), ['open', 'close 1000 restart', 'open']);
    },
  },
  {
    id: 'reconnecting/unreferenced-while-waiting',
    title: 'a socket that only its listener refers to is not collected while it waits',
    async run(t) {
      const url = t.url({ steps: [until('go'), RESET] });
      const seen = [];
      (() => {
        const socket = new t.WebSocket(url, [], { retry: { baseMs: 200, capMs: 200 } });
        socket.onopen = () => { seen.push('open'); if (seen.length === 3) socket.close(); };
        socket.onclose = () => seen.push('close');
      })();
      await t.until(() => seen.length === 1 && t.peer(url).request, 'open');
      t.peer(url).go();
      await t.until(() => seen.length === 2, 'close');
      await t.collectGarbage();
      await t.until(() => seen.length === 4, 'open and close again');
      t.same(seen, ['open', 'close', 'open', 'close']);
    },
  },
];
