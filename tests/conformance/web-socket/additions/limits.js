// Heartbeats, time limits, the connect grace and the signal.

import { text, until } from '../script.js';
import { codes, manage } from './common.js';

const BEAT = { message: 'ping', intervalMs: 40, timeoutMs: 60 };

export default [
  {
    id: 'limits/heartbeat-unanswered',
    title: 'a socket that goes silent is asked, and without an answer given up: stalled, and made again',
    async run(t) {
      const { log, peers: [peer] } = manage(t, [{}], { heartbeat: BEAT });
      await log.until('open', 2);
      t.same(log.story, ['open', 'error', 'close 1006, not clean', 'open']);
      t.same([codes(log), peer.connections[0].messages[0]], [['stalled'], 'ping']);
    },
  },
  {
    id: 'limits/heartbeat-answered',
    title: 'one that answers lives, and an answer that isPong knows is not heard of',
    async run(t) {
      const isPong = (data) => data === 'ping 3';
      let asked = 0;
      const heartbeat = { ...BEAT, timeoutMs: 2000, message: () => `ping ${asked += 1}`, isPong };
      const { socket, log, peers: [peer] } = manage(t, [{ echo: true }], { heartbeat });
      await t.until(() => peer.messages.length >= 5, 'five beats');
      await log.until('message', 3);
      t.same(log.data.slice(0, 3), ['ping 1', 'ping 2', 'ping 4']);
      t.equal(socket.readyState, 1, 'readyState');
    },
  },
  {
    id: 'limits/heartbeat-not-needed',
    title: 'who hears something does not ask',
    async run(t) {
      const steps = Array.from({ length: 8 }, (_, i) => [text(String(i)), until('message')]).flat();
      const { socket, log, peers: [peer] } = manage(t, [{ steps }], { heartbeat: { ...BEAT, intervalMs: 60_000 } });
      socket.onmessage = ({ data }) => socket.send(data);
      await log.until('message', 8);
      await t.until(() => peer.messages.length === 8, 'eight messages');
      t.same(peer.messages, ['0', '1', '2', '3', '4', '5', '6', '7']);
    },
  },
  {
    id: 'limits/is-pong-throws',
    title: 'an isPong that throws is reported, and the message comes',
    async run(t) {
      const mine = new Error('thrown by isPong on purpose');
      const reported = t.expectUncaught(mine);
      const { log } = manage(t, [{ steps: [text('x')] }], { heartbeat: { ...BEAT, intervalMs: 60_000, isPong() { throw mine; } } });
      await log.until('message');
      t.same([log.data, reported.times], [['x'], 1]);
    },
  },
  {
    id: 'limits/connect-timeout',
    title: 'a handshake that hangs is given up: connect-timeout, and tried again',
    async run(t) {
      const { log, peers } = manage(t, [{ hold: 'go' }, {}], { connectTimeoutMs: 500 });
      await log.until('open');
      t.same([log.story.slice(0, 2), codes(log)[0]], [['error', 'close 1006, not clean'], 'connect-timeout']);
      await t.until(() => peers[0].isGone, 'the first connection gone');
    },
  },
  {
    id: 'limits/grace',
    title: 'a failure within the connect grace is the end: connect-failed',
    async run(t) {
      const { socket, log, peers: [peer] } = manage(t, [{ refuse: 'reset' }], { connectGraceMs: 5000 });
      const { willReconnect } = await log.until('close');
      await t.quiet();
      t.same([codes(log), willReconnect, socket.readyState, peer.connections.length], [['connect-failed'], false, 3, 1]);
    },
  },
  {
    id: 'limits/grace-opened',
    title: 'once it was open, no more',
    async run(t) {
      const { log } = manage(t, [{ steps: [until('message'), { act: 'reset' }] }], { connectGraceMs: 60_000 });
      const event = await log.until('open');
      event.target.send('x');
      await log.until('open', 2);
      t.same(codes(log, 'close'), ['disconnected']);
    },
  },
  {
    id: 'limits/signal',
    title: 'an abort is a close()',
    async run(t) {
      const control = new AbortController();
      const { socket, log, peers: [peer] } = manage(t, [{}], { signal: control.signal });
      await log.until('open');
      control.abort();
      t.equal(socket.readyState, 2, 'readyState');
      await log.until('close');
      await t.quiet();
      t.same([log.story, peer.connections.length], [['open', 'close 1005'], 1]);
    },
  },
  {
    id: 'limits/signal-aborted',
    title: 'with an aborted signal there is no connection, and no event',
    async run(t) {
      const { socket, log, peers: [peer] } = manage(t, [{}], { signal: AbortSignal.abort() });
      t.equal(socket.readyState, 3, 'readyState');
      await t.quiet();
      t.same([log.story, peer.connections.length], [[], 0]);
    },
  },
  {
    id: 'limits/wrong-options',
    title: 'a wrong option is named by its path, and nothing is opened',
    async run(t) {
      const url = t.url();
      const wrong = {
        retry: [7, { baseMs: -1 }, { tries: 3 }], heartbeat: [{}, { message: 'x', intervalMs: 0 }, { message: 'x', isPong: 1 }],
        queue: [{ overflow: 'wait' }, { maxMessages: 'many' }], connectGraceMs: [-1], signal: [{}], maxRetries: ['3'], WebSocket: [{}],
      };
      const paths = [];
      for (const [name, values] of Object.entries(wrong)) {
        for (const value of values) {
          try {
            t.open(url, [], { [name]: value });
          } catch ({ code, path }) {
            paths.push(`${code} ${path}`);
          }
        }
      }
      t.same(paths, ['retry', 'retry.baseMs', 'retry.tries', 'heartbeat.message', 'heartbeat.intervalMs', 'heartbeat.isPong',
        'queue.overflow', 'queue.maxMessages', 'connectGraceMs', 'signal', 'maxRetries', 'WebSocket'].map((path) => `invalid-argument ${path}`));
      await t.quiet();
      t.equal(t.peer(url).connections.length, 0, 'connections');
    },
  },
];
