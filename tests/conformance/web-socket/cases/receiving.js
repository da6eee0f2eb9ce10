// Messages as they come.

import { END, binary, close, fragments, frame, numbered, ping, text, until } from '../script.js';

const spec = 'websockets: a message has been received';

async function receives(t, steps, count) {
  const { log, socket, peer } = t.connect({ steps });
  socket.binaryType = 'arraybuffer';
  await log.until('message', count);
  return { log, socket, peer };
}

const plain = (data) => (data instanceof ArrayBuffer ? [...new Uint8Array(data)] : data);
const utf8 = (content) => [...new TextEncoder().encode(content)];

export default [
  {
    id: 'receiving/text',
    title: 'text comes as a string',
    spec,
    async run(t) {
      const { log } = await receives(t, [text('Grüße, 🌍')], 1);
      t.same(log.data, ['Grüße, 🌍']);
    },
  },
  {
    id: 'receiving/empty',
    title: 'empty messages come, of both kinds',
    spec,
    async run(t) {
      const { log } = await receives(t, [text(''), binary([])], 2);
      t.equal(log.data[0], '', 'text');
      t.equal(log.data[1].byteLength, 0, 'bytes');
    },
  },
  {
    id: 'receiving/binary-type-default',
    title: "binaryType is 'blob' at first, and bytes come as a Blob without a type",
    spec: 'websockets: binaryType',
    async run(t) {
      const { socket, log } = t.connect({ steps: [binary([0, 255, 7])] });
      t.equal(socket.binaryType, 'blob', 'binaryType');
      await log.until('message');
      const [data] = log.data;
      t.ok(data instanceof Blob && !(data instanceof File), 'a Blob');
      t.equal(data.type, '', 'type');
      t.same([...new Uint8Array(await data.arrayBuffer())], [0, 255, 7], 'bytes');
    },
  },
  {
    id: 'receiving/array-buffer',
    title: "with 'arraybuffer' bytes come as an ArrayBuffer",
    spec: 'websockets: binaryType',
    async run(t) {
      const { log, socket } = await receives(t, [binary([0, 255, 7])], 1);
      t.equal(socket.binaryType, 'arraybuffer', 'binaryType');
      t.ok(log.data[0] instanceof ArrayBuffer, 'an ArrayBuffer');
      t.same(plain(log.data[0]), [0, 255, 7], 'bytes');
    },
  },
  {
    id: 'receiving/binary-type-invalid',
    title: 'another value of binaryType is ignored without an exception',
    spec: 'webidl: enumerations',
    run(t) {
      const { socket } = t.connect({});
      socket.binaryType = 'arraybuffer';
      for (const value of ['', 'ArrayBuffer', 'Blob', 'text', null, undefined, 1, {}]) {
        socket.binaryType = value;
        t.equal(socket.binaryType, 'arraybuffer', `after ${value}`);
      }
      socket.binaryType = { toString: () => 'blob' };
      t.equal(socket.binaryType, 'blob', 'after an object that says so');
    },
  },
  {
    id: 'receiving/binary-type-switched',
    title: 'binaryType may be switched in between, for messages of one segment too',
    spec: 'websockets: binaryType',
    async run(t) {
      const { socket, log } = t.connect({ steps: [binary([1]), binary([2]), text('3'), binary([4])] });
      socket.onmessage = () => { socket.binaryType = socket.binaryType === 'blob' ? 'arraybuffer' : 'blob'; };
      await log.until('message', 4);
      t.same(log.data.map((data) => data.constructor.name), ['Blob', 'ArrayBuffer', 'String', 'ArrayBuffer']);
    },
  },
  {
    id: 'receiving/binary-type-in-any-state',
    title: 'binaryType can be set in every state',
    spec: 'websockets: binaryType',
    async run(t) {
      const { socket, log } = t.connect({ steps: [close(1000)] });
      for (const [when, value] of [['open', 'arraybuffer'], ['close', 'blob']]) {
        await log.until(when);
        socket.binaryType = value;
        t.equal(socket.binaryType, value, `after ${when}`);
      }
    },
  },
  {
    id: 'receiving/fragments',
    title: 'a message in several frames comes as one',
    spec: 'rfc6455 5.4',
    async run(t) {
      const { log } = await receives(t, [...fragments('text', ['one ', '', 'two ', 'three']), ...fragments('binary', [[1], [2, 3], []])], 2);
      t.same(log.data.map(plain), ['one two three', [1, 2, 3]]);
    },
  },
  {
    id: 'receiving/fragmented-letter',
    title: 'a letter may be split over frames',
    spec: 'rfc6455 5.6',
    async run(t) {
      const letters = utf8('é🌍');
      const { log } = await receives(t, fragments('text', letters.map((byte) => [byte])), 1);
      t.same(log.data, ['é🌍']);
    },
  },
  {
    id: 'receiving/split-in-time',
    title: 'a frame may come in pieces, its head and a letter too',
    spec: 'rfc6455 5.2',
    async run(t) {
      const whole = [0x81, 0x06, ...utf8('é🌍')];
      const steps = whole.flatMap((byte) => [until('go'), { bytes: [byte] }]);
      const { log, peer } = await t.connected({ steps });
      for (const _ of whole) {
        t.same(log.data, [], 'before it is whole');
        peer.go();
        await t.quiet();
      }
      await log.until('message');
      t.same(log.data, ['é🌍']);
    },
  },
  {
    id: 'receiving/ping-between-fragments',
    title: 'control frames may stand between the frames of a message',
    spec: 'rfc6455 5.4',
    async run(t) {
      const { log, peer } = await receives(t, [text('a', { isFinal: false }), ping('p'), frame('pong', 'q'), frame('continuation', 'b')], 1);
      t.same(log.data, ['ab']);
      await t.until(() => peer.frames.length, 'a pong');
      t.same(peer.frames.map((each) => `${each.opcode} ${each.text}`), ['pong p']);
    },
  },
  {
    id: 'receiving/ping',
    title: "the server's pings are answered with what they said, and the page sees nothing",
    spec: 'rfc6455 5.5.2',
    async run(t) {
      const { log, peer } = await receives(t, [ping(''), until('pong'), ping('x'.repeat(125)), until('pong'), frame('pong', 'unasked'), text('after')], 1);
      t.same(log.story, ['open', 'message after']);
      await t.until(() => peer.frames.length === 2, 'two pongs');
      t.same(peer.frames.map((each) => `${each.opcode} ${each.length}`), ['pong 0', 'pong 125']);
    },
  },
  {
    id: 'receiving/event',
    title: 'the event is a MessageEvent with origin and nothing else',
    spec,
    async run(t) {
      const { log, url, socket } = t.connect({ steps: [text('x')] });
      const event = await log.until('message');
      t.ok(event instanceof MessageEvent, 'a MessageEvent');
      t.equal(event.constructor, MessageEvent, 'its class');
      t.equal(event.origin, new URL(url).origin, 'origin');
      t.equal(event.lastEventId, '', 'lastEventId');
      t.equal(event.source, null, 'source');
      t.same([...event.ports], [], 'ports');
      t.same([event.bubbles, event.cancelable, event.composed], [false, false, false], 'bubbles, cancelable, composed');
      t.equal(event.target, socket, 'target');
    },
  },
  {
    id: 'receiving/trusted',
    title: 'events are trusted',
    spec: 'dom: isTrusted',
    async run(t) {
      const { log } = t.connect({ steps: [text('x'), close(1000)] });
      await log.until('close');
      t.same(log.entries.map(({ event }) => event.isTrusted), [true, true, true]);
    },
  },
  {
    id: 'receiving/origin',
    title: "origin is the server's, as ws:",
    spec,
    async run(t) {
      const socket = t.open(`http://LOCALHOST:${location.port}/peer/${crypto.randomUUID()}?${encodeURIComponent(JSON.stringify({ steps: [text('x')] }))}`);
      const event = await t.record(socket).until('message');
      t.equal(event.origin, `ws://localhost:${location.port}`, 'origin');
    },
  },
  {
    id: 'receiving/open-before-first',
    title: 'open comes before a first message and a Close that came in one segment with the handshake',
    spec: 'websockets: the connection is established',
    async run(t) {
      const { log } = t.connect({ steps: [text('1'), text('2'), close(1000, 'bye')] });
      await log.until('close');
      t.same(log.story, ['open', 'message 1', 'message 2', 'close 1000 bye']);
    },
  },
  {
    id: 'receiving/many-in-one-segment',
    title: 'ten thousand messages in one piece come in order',
    spec,
    async run(t) {
      const { socket, peer } = await t.connected({ steps: [until('go'), numbered(10_000)] });
      const got = [];
      socket.onmessage = ({ data }) => got.push(data);
      peer.go();
      await t.until(() => got.length >= 10_000, '10,000 messages');
      t.equal(got.findIndex((data, i) => data !== String(i)), -1, 'first one out of order');
    },
  },
  {
    id: 'receiving/kinds-in-order',
    title: 'text and Blobs come in the order of their frames',
    spec,
    async run(t) {
      const { log } = t.connect({ steps: [binary([1]), text('2'), binary([3]), text('4')] });
      await log.until('message', 4);
      t.same(log.story, ['open', 'message Blob of 1', 'message 2', 'message Blob of 1', 'message 4']);
    },
  },
  {
    id: 'receiving/one-megabyte',
    title: 'a message of 1 MB in one frame comes whole',
    spec,
    async run(t) {
      const { log } = await receives(t, [text('0123456789abcdé', { times: 65_536 })], 1);
      t.ok(log.data.join('') === '0123456789abcdé'.repeat(65_536), 'equal to what was sent');
    },
  },
  {
    id: 'receiving/while-closing',
    title: 'messages that come after close() was called are not heard of',
    spec,
    async run(t) {
      const { socket, log } = await t.connected({ onClose: 'ignore', steps: [until('close'), text('too late'), close(1000), END] });
      socket.close();
      await log.until('close');
      t.same(log.story, ['open', 'close 1000']);
    },
  },
  {
    id: 'receiving/close-in-first',
    title: 'close() in the listener of a message keeps the rest of the segment away',
    spec,
    async run(t) {
      const { socket, log } = t.connect({ steps: [text('1'), text('2'), text('3')] });
      socket.onmessage = () => socket.close();
      await log.until('close');
      t.same(log.story, ['open', 'message 1', 'close 1005']);
    },
  },
  {
    id: 'receiving/nothing-behind-close',
    title: 'a frame behind the Close frame is not heard of, and fails the connection',
    spec: 'rfc6455 5.5.1',
    async run(t) {
      const { log } = t.connect({ steps: [text('1'), close(1000), text('2')] });
      await log.until('close');
      await t.quiet();
      t.same(log.story, ['open', 'message 1', 'error', 'close 1006, not clean']);
    },
  },
  {
    id: 'receiving/unreferenced',
    title: 'a socket that only its listener refers to is heard of as long as it is open',
    spec: 'websockets: garbage collection',
    async run(t) {
      const url = t.url({ steps: [text('1'), until('go'), text('2'), close(1000)] });
      const seen = [];
      (() => {
        const socket = new t.WebSocket(url);
        socket.onmessage = ({ data }) => seen.push(data);
        socket.onclose = ({ code }) => seen.push(code);
      })();
      await t.until(() => seen.length === 1, 'the first message');
      await t.collectGarbage();
      t.peer(url).go();
      await t.until(() => seen.length === 3, 'the second message and the end');
      t.same(seen, ['1', '2', 1000]);
    },
  },
];
