// Messages that are sent while there is no connection.

import { RESET, until } from '../script.js';
import { manage } from './common.js';

const sent = (t, peer, count) => t.until(() => peer.messages.length >= count && peer.messages, `${count} messages at the server`);

/** One socket that waits for its handshake, and what it was given meanwhile. */
async function hold(t, queue, sends) {
  const { socket, log, peers: [peer] } = manage(t, [{ hold: 'go' }], { queue });
  for (const message of sends) socket.send(message);
  const before = socket.bufferedAmount;
  peer.go();
  await log.until('open');
  socket.send('last');
  return { socket, before, messages: () => t.until(() => peer.messages.at(-1) === 'last' && peer.messages.slice(0, -1), 'the last message') };
}

export default [
  {
    id: 'queue/while-connecting',
    title: 'what is sent while CONNECTING arrives in order, before what the listener of open sends',
    async run(t) {
      const { socket, peers: [peer] } = manage(t, [{ hold: 'go' }]);
      socket.onopen = () => socket.send('from open');
      const buffer = new Uint8Array([1, 2]);
      const whole = new Uint8Array([3, 4]);
      for (const message of ['é', buffer, new Blob(['b']), 7, whole.buffer]) socket.send(message);
      buffer.fill(9);
      whole.fill(9);
      t.equal(socket.bufferedAmount, 8, 'bufferedAmount');
      peer.go();
      t.same(await sent(t, peer, 6), ['é', [1, 2], [98], '7', [3, 4], 'from open']);
      await t.until(() => socket.bufferedAmount === 0, 'bufferedAmount 0');
    },
  },
  {
    id: 'queue/while-down',
    title: 'what is sent between two connections arrives over the next; what the lost one was given is not sent again',
    async run(t) {
      const { socket, log, peers: [peer] } = manage(t, [{ steps: [until('go'), RESET] }]);
      socket.onclose = () => { socket.send('in close'); socket.onclose = null; };
      await log.until('open');
      socket.send('first');
      await sent(t, peer, 1);
      peer.go();
      await log.until('open', 2);
      socket.send('after');
      t.same(await sent(t, peer, 3), ['first', 'in close', 'after']);
      t.same(peer.connections.map(({ messages }) => messages), [['first'], ['in close', 'after']]);
    },
  },
  {
    id: 'queue/after-open',
    title: "with flush: 'after-open' the listeners of open come first",
    async run(t) {
      const { socket, peers: [peer] } = manage(t, [{ hold: 'go' }], { queue: { flush: 'after-open' } });
      socket.onopen = () => socket.send('who I am');
      socket.send('waited');
      peer.go();
      t.same(await sent(t, peer, 2), ['who I am', 'waited']);
    },
  },
  {
    id: 'queue/throws',
    title: 'a full queue throws queue-full, and takes nothing',
    async run(t) {
      const { socket, peers: [peer], log } = manage(t, [{ hold: 'go' }], { queue: { maxMessages: 2 } });
      socket.send('1');
      socket.send('2');
      let error;
      try {
        socket.send('3');
      } catch (thrown) {
        error = thrown;
      }
      t.same([error?.code, socket.bufferedAmount], ['queue-full', 2]);
      peer.go();
      await log.until('open');
      socket.send('4');
      t.same(await sent(t, peer, 3), ['1', '2', '4']);
    },
  },
  {
    id: 'queue/default-bound',
    title: 'by default it holds a thousand messages, or 1 MiB',
    run(t) {
      const { socket } = manage(t, [{ hold: 'go' }]);
      for (let i = 0; i < 1000; i += 1) socket.send('');
      let codes = '';
      const attempt = (each, data) => { try { each.send(data); } catch ({ code }) { codes += `${code} `; } };
      attempt(socket, '');
      const { socket: other } = manage(t, [{ hold: 'go' }]);
      other.send(new Uint8Array(1 << 20));
      attempt(other, 'x');
      t.equal(codes, 'queue-full queue-full ');
    },
  },
  {
    id: 'queue/drop-oldest',
    title: "'drop-oldest' keeps the newest",
    async run(t) {
      const { messages, before } = await hold(t, { maxMessages: 2, overflow: 'drop-oldest' }, ['a', 'bb', 'ccc']);
      t.same([before, await messages()], [5, ['bb', 'ccc']]);
    },
  },
  {
    id: 'queue/drop-newest',
    title: "'drop-newest' keeps the oldest",
    async run(t) {
      const { messages, before } = await hold(t, { maxMessages: 2, overflow: 'drop-newest' }, ['a', 'bb', 'ccc']);
      t.same([before, await messages()], [3, ['a', 'bb']]);
    },
  },
  {
    id: 'queue/bytes',
    title: 'bytes are counted too: a message that never fits is dropped alone',
    async run(t) {
      const oldest = await hold(t, { maxBytes: 4, overflow: 'drop-oldest' }, ['aa', 'bb', 'é']);
      t.same([oldest.before, await oldest.messages()], [4, ['bb', 'é']]);
      const newest = await hold(t, { maxBytes: 4, overflow: 'drop-newest' }, ['a', 'too long', 'b']);
      t.same([newest.before, await newest.messages()], [2, ['a', 'b']]);
    },
  },
  {
    id: 'queue/dropped-by-close',
    title: 'close() drops what waits; bufferedAmount goes on counting it, as that of a native socket',
    async run(t) {
      const { socket, log, peers: [peer] } = manage(t, [{ hold: 'go' }]);
      socket.send('never');
      socket.close();
      await log.until('close');
      peer.go();
      await t.quiet();
      t.same([peer.messages.length, socket.bufferedAmount], [0, 5]);
      socket.send('123');
      t.equal(socket.bufferedAmount, 8, 'bufferedAmount after the end');
    },
  },
  {
    id: 'queue/while-server-closes',
    title: 'what is sent while the server closes waits for the next connection',
    async run(t) {
      const url = t.url({ echo: true });
      const closing = t.url({ onClose: 'linger', steps: [until('go'), { frame: { opcode: 'close', code: 1001, reason: '' } }] });
      const urls = [closing, url];
      const socket = t.open(() => urls.shift() ?? url, undefined, { retry: { baseMs: 10, capMs: 40 } });
      const log = t.record(socket);
      await log.until('open');
      t.peer(closing).go();
      await t.until(() => socket.readyState !== 1, 'CLOSING');
      socket.send('not lost');
      await log.until('message');
      t.same([log.data, t.peer(closing).messages], [['not lost'], []]);
    },
  },
];
