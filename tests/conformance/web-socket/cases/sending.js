// send(): what may be sent, what arrives, and what bufferedAmount says of it.

import { PAUSE, RESUME, close, until } from '../script.js';

const spec = 'websockets: send()';
const ECHO = { echo: true };

/** Sends, and gives what the server has got. */
async function arrives(t, contents) {
  const { socket, peer } = await t.connected({});
  for (const content of contents) socket.send(content);
  await t.until(() => peer.messages.length >= contents.length, `${contents.length} messages at the server`);
  return { peer, messages: peer.messages, opcodes: peer.frames.map(({ opcode }) => opcode) };
}

const bytes = (...values) => new Uint8Array(values);

export default [
  {
    id: 'sending/text',
    title: 'text arrives as a text frame, masked',
    spec,
    async run(t) {
      const { messages, peer } = await arrives(t, ['Grüße, 🌍']);
      t.same(messages, ['Grüße, 🌍']);
      t.same([peer.frames[0].opcode, peer.frames[0].isFinal, peer.frames[0].isMasked], ['text', true, true]);
    },
  },
  {
    id: 'sending/array-buffer',
    title: 'an ArrayBuffer arrives as a binary frame',
    spec,
    async run(t) {
      const { messages, opcodes } = await arrives(t, [bytes(0, 128, 255).buffer]);
      t.same(messages, [[0, 128, 255]]);
      t.same(opcodes, ['binary']);
    },
  },
  {
    id: 'sending/views',
    title: 'of a view only its part arrives, whatever its type',
    spec,
    async run(t) {
      const { buffer } = bytes(1, 2, 3, 4, 5, 6, 7, 8);
      const { messages, opcodes } = await arrives(t, [new Uint8Array(buffer, 2, 3), new DataView(buffer, 4, 2), new Uint16Array(buffer, 2, 1), new BigInt64Array(buffer)]);
      t.same(messages, [[3, 4, 5], [5, 6], [3, 4], [1, 2, 3, 4, 5, 6, 7, 8]]);
      t.same(opcodes, ['binary', 'binary', 'binary', 'binary']);
    },
  },
  {
    id: 'sending/blob',
    title: 'a Blob arrives as a binary frame',
    spec,
    async run(t) {
      const { messages, opcodes } = await arrives(t, [new Blob(['ab', bytes(255)]), new File(['f'], 'name')]);
      t.same(messages, [[97, 98, 255], [102]]);
      t.same(opcodes, ['binary', 'binary']);
    },
  },
  {
    id: 'sending/empty',
    title: 'empty messages of each kind arrive',
    spec,
    async run(t) {
      const { messages, opcodes } = await arrives(t, ['', new ArrayBuffer(0), new Blob([])]);
      t.same(messages, ['', [], []]);
      t.same(opcodes, ['text', 'binary', 'binary']);
    },
  },
  {
    id: 'sending/other-values',
    title: 'everything else is turned into text',
    spec: 'webidl: USVString',
    async run(t) {
      const { messages } = await arrives(t, [null, undefined, 12.5, true, {}, [1, [2]], { toString: () => 'own' }]);
      t.same(messages, ['null', 'undefined', '12.5', 'true', '[object Object]', '1,2', 'own']);
    },
  },
  {
    id: 'sending/no-argument',
    title: 'send() without an argument, and with what cannot be text, is a TypeError',
    spec: 'webidl: overload resolution',
    async run(t) {
      const { socket, peer } = await t.connected({});
      t.throws('TypeError', () => socket.send());
      t.throws('TypeError', () => socket.send(Symbol('x')));
      t.throws('TypeError', () => socket.send(Object.create(null)));
      socket.send('after');
      await t.until(() => peer.messages.length, 'a message');
      t.same(peer.messages, ['after']);
    },
  },
  {
    id: 'sending/returns-nothing',
    title: 'send() and close() return undefined',
    spec,
    async run(t) {
      const { socket } = await t.connected({});
      t.equal(socket.send('x'), undefined, 'send()');
      t.equal(socket.close(), undefined, 'close()');
      t.equal(socket.send('x'), undefined, 'send() afterwards');
    },
  },
  {
    id: 'sending/lone-surrogates',
    title: 'lone surrogates arrive as U+FFFD and count as three bytes',
    spec: 'webidl: USVString',
    async run(t) {
      const { socket, peer } = await t.connected({});
      socket.send('a\ud800b\udc00c🌍');
      t.equal(socket.bufferedAmount, 13, 'bufferedAmount');
      await t.until(() => peer.messages.length, 'a message');
      t.same(peer.messages, ['a\ufffdb\ufffdc🌍']);
    },
  },
  {
    id: 'sending/nul-and-bom',
    title: 'NUL, BOM and line ends arrive as they are, and come back so',
    spec,
    async run(t) {
      const { socket, log } = await t.connected(ECHO);
      socket.send('\ufeffa\u0000b\r\n\u2028');
      await log.until('message');
      t.same(log.data, ['\ufeffa\u0000b\r\n\u2028']);
    },
  },
  {
    id: 'sending/while-connecting',
    title: 'send() while CONNECTING is an InvalidStateError, and nothing of it is sent later',
    spec,
    async run(t) {
      const { socket, log, peer } = t.connect({ hold: 'go' });
      for (const content of ['early', bytes(1), new Blob(['early'])]) {
        const error = t.throws('InvalidStateError', () => socket.send(content));
        t.equal(error.code, 11, 'code');
      }
      t.equal(socket.bufferedAmount, 0, 'bufferedAmount');
      t.equal(socket.readyState, 0, 'readyState');
      peer.go();
      await log.until('open');
      socket.send('later');
      await t.until(() => peer.messages.length, 'a message');
      t.same(peer.messages, ['later']);
    },
  },
  {
    id: 'sending/while-closing',
    title: 'send() while CLOSING is dropped without an exception, and counted',
    spec,
    async run(t) {
      const { socket, peer, log } = await t.connected({});
      socket.close();
      for (const content of ['late', bytes(1, 2), new Blob(['late!'])]) socket.send(content);
      t.equal(socket.bufferedAmount, 11, 'bufferedAmount');
      await log.until('close');
      await t.closeFrame(peer);
      t.same(peer.messages, [], 'messages at the server');
      t.equal(socket.bufferedAmount, 11, 'bufferedAmount at the end');
    },
  },
  {
    id: 'sending/while-closed',
    title: 'send() when CLOSED is dropped without an exception, and counted',
    spec,
    async run(t) {
      const { socket, log } = await t.connected({ steps: [close(1000)] });
      await log.until('close');
      const before = socket.bufferedAmount;
      socket.send('äöü');
      t.equal(socket.bufferedAmount - before, 6, 'more');
      socket.send(new ArrayBuffer(10));
      t.equal(socket.bufferedAmount - before, 16, 'more');
      t.same(log.story, ['open', 'close 1000'], 'events');
    },
  },
  {
    id: 'sending/after-failure',
    title: 'send() after a connection that failed is dropped and counted',
    spec,
    async run(t) {
      const { socket, log } = t.connect({ status: 503 });
      await log.until('close');
      socket.send('abc');
      t.equal(socket.bufferedAmount, 3, 'bufferedAmount');
    },
  },
  {
    id: 'sending/order',
    title: 'text, buffers and Blobs arrive in the order of the calls',
    spec,
    async run(t) {
      const { messages } = await arrives(t, ['1', new Blob(['2']), '3', bytes(4), new Blob(['5']), new Blob(['6']), '7']);
      t.same(messages, ['1', [50], '3', [4], [53], [54], '7']);
    },
  },
  {
    id: 'sending/many',
    title: 'a thousand messages of one task arrive in order',
    spec,
    async run(t) {
      const sent = Array.from({ length: 1000 }, (_, i) => `m${i}`);
      const { messages } = await arrives(t, sent);
      t.equal(messages.join(), sent.join(), 'messages');
    },
  },
  {
    id: 'sending/copied',
    title: 'what is changed after send() does not change what arrives',
    spec,
    async run(t) {
      const { socket, peer } = await t.connected({});
      const data = bytes(1, 2, 3);
      socket.send(data);
      data.fill(9);
      await t.until(() => peer.messages.length, 'a message');
      t.same(peer.messages, [[1, 2, 3]]);
    },
  },
  {
    id: 'sending/from-open',
    title: 'a message sent by the listener of open arrives',
    spec,
    async run(t) {
      const { socket, log } = t.connect(ECHO);
      socket.onopen = () => socket.send('first');
      await log.until('message');
      t.same(log.story, ['open', 'message first']);
    },
  },
  {
    id: 'sending/before-close',
    title: 'what was sent before close() arrives before the Close frame',
    spec: 'websockets: close()',
    async run(t) {
      const { socket, peer, log } = await t.connected({});
      socket.send('a');
      socket.send(new Blob(['b']));
      socket.send('c'.repeat(100_000));
      socket.close(1000, 'done');
      await log.until('close');
      await t.closeFrame(peer);
      t.same(peer.messages, ['a', [98], 100_000]);
      t.equal(peer.frames.at(-1).opcode, 'close', 'last frame');
    },
  },
  {
    id: 'sending/one-megabyte',
    title: 'a text of 1 MB goes and comes back whole',
    spec,
    async run(t) {
      const { socket, log } = await t.connected(ECHO);
      const long = '0123456789abcdé'.repeat(65_536);
      socket.send(long);
      await log.until('message');
      t.ok(log.data.join('') === long, 'equal to what was sent');
    },
  },
  {
    id: 'sending/one-megabyte-binary',
    title: 'so do bytes and a Blob of 1 MB',
    spec,
    async run(t) {
      const { socket, log } = await t.connected(ECHO);
      socket.binaryType = 'arraybuffer';
      const long = Uint8Array.from({ length: 1 << 20 }, (_, i) => i % 251);
      socket.send(long);
      socket.send(new Blob([long]));
      await log.until('message', 2);
      for (const data of log.data) {
        t.equal(data.byteLength, long.length, 'bytes');
        t.ok(new Uint8Array(data).every((byte, i) => byte === long[i]), 'equal to what was sent');
      }
    },
  },
  {
    id: 'buffered/grows-at-once',
    title: 'bufferedAmount grows in the call, by the bytes of UTF-8, of the view, of the Blob',
    spec: 'websockets: bufferedAmount',
    async run(t) {
      const { socket } = await t.connected({});
      t.equal(socket.bufferedAmount, 0, 'at first');
      const expected = [['abc', 3], ['äö', 7], ['🌍', 11], [new ArrayBuffer(10), 21], [new Uint8Array(100).subarray(1, 5), 25], [new Blob(['abcde']), 30], ['', 30]];
      for (const [content, sum] of expected) {
        socket.send(content);
        t.equal(socket.bufferedAmount, sum, `after ${content}`);
      }
    },
  },
  {
    id: 'buffered/falls-to-zero',
    title: 'bufferedAmount is 0 again when all is handed over, but not within the task',
    spec: 'websockets: bufferedAmount',
    async run(t) {
      const { socket } = await t.connected({});
      socket.send('x'.repeat(1000));
      await null;
      t.equal(socket.bufferedAmount, 1000, 'in a microtask');
      await t.until(() => socket.bufferedAmount === 0, 'bufferedAmount 0');
    },
  },
  {
    id: 'buffered/waits-for-the-server',
    title: 'bufferedAmount stays up while the server takes nothing',
    spec: 'websockets: bufferedAmount',
    async run(t) {
      const { socket, peer, log } = await t.connected({ steps: [PAUSE, until('go'), RESUME] });
      const long = new Uint8Array(8 << 20);
      socket.send(long);
      socket.send(long);
      socket.send('end');
      await t.quiet();
      t.ok(socket.bufferedAmount > 1 << 20, `above 1 MiB: ${socket.bufferedAmount}`);
      peer.go();
      await t.until(() => socket.bufferedAmount === 0, 'bufferedAmount 0');
      await t.until(() => peer.messages.at(-1) === 'end', 'the last message');
      t.same(log.story, ['open'], 'events');
    },
  },
  {
    id: 'buffered/not-reset-by-close',
    title: 'bufferedAmount is not reset by close(), nor by the end',
    spec: 'websockets: bufferedAmount',
    async run(t) {
      const { socket, log } = await t.connected({});
      socket.send('12345');
      socket.close();
      t.equal(socket.bufferedAmount, 5, 'after close()');
      socket.send('678');
      t.equal(socket.bufferedAmount, 8, 'after one more send()');
      await log.until('close');
      t.ok(socket.bufferedAmount >= 3, `at the end: ${socket.bufferedAmount}`);
    },
  },
];
