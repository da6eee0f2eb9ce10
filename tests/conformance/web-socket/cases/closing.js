// close(), and closing by the server.

import { END, RESET, close, text, until } from '../script.js';

const spec = 'websockets: close()';

async function closes(t, args) {
  const { socket, log, peer } = await t.connected({});
  socket.close(...args);
  const event = await log.until('close');
  t.same(log.story.length, 2, 'events');
  return { event, frame: await t.closeFrame(peer) };
}

const byServer = [1000, 1001, 1008, 1009, 1011, 1012, 1013, 3000, 4000, 4999].map((code) => ({
  id: `closing/server-${code}`,
  title: `a server's ${code} and its reason are seen, and the close is clean`,
  spec: 'websockets: the connection is closed',
  async run(t) {
    const { log, peer } = t.connect({ steps: [text('x'), close(code, `because of ${code}`)] });
    const event = await log.until('close');
    t.same([event.code, event.reason, event.wasClean], [code, `because of ${code}`, true]);
    t.same(log.events('error'), [], 'errors');
    t.equal((await t.closeFrame(peer)).code, code, 'the code is sent back');
  },
}));

export default [
  {
    id: 'closing/no-arguments',
    title: 'close() sends an empty Close frame, and the event says 1005',
    spec,
    async run(t) {
      const { event, frame } = await closes(t, []);
      t.same([event.code, event.reason, event.wasClean], [1005, '', true]);
      t.same(frame, { code: null, reason: '' }, 'frame');
    },
  },
  {
    id: 'closing/undefined',
    title: 'undefined is as if nothing was given',
    spec: 'webidl: optional arguments',
    async run(t) {
      const { frame } = await closes(t, [undefined, undefined]);
      t.same(frame, { code: null, reason: '' }, 'frame');
    },
  },
  {
    id: 'closing/valid-codes',
    title: '1000 and 3000 to 4999 are sent and come back',
    spec,
    async run(t) {
      for (const code of [1000, 3000, 4999]) {
        const { event, frame } = await closes(t, [code, 'over']);
        t.same([event.code, event.reason, event.wasClean], [code, 'over', true]);
        t.same(frame, { code, reason: 'over' }, 'frame');
      }
    },
  },
  {
    id: 'closing/converted-codes',
    title: 'text and fractions become whole numbers, clamped to 16 bits',
    spec: 'webidl: [Clamp] unsigned short',
    async run(t) {
      for (const [code, sent] of [['3001', 3001], [3001.4, 3001], [{ valueOf: () => 4000 }, 4000]]) {
        const { frame } = await closes(t, [code]);
        t.equal(frame.code, sent, `code of ${String(code)}`);
      }
    },
  },
  {
    id: 'closing/fraction-of-code',
    title: 'the fraction of a code is cut off, though [Clamp] would round',
    spec: 'webidl: [Clamp] unsigned short; Chromium differs',
    async run(t) {
      for (const [code, sent] of [[3001.5, 3001], [4999.9, 4999]]) {
        const { frame } = await closes(t, [code]);
        t.equal(frame.code, sent, `code of ${code}`);
      }
    },
  },
  {
    id: 'closing/invalid-codes',
    title: 'every other code is an InvalidAccessError, and nothing changes',
    spec,
    async run(t) {
      const { socket, peer, log } = await t.connected({ echo: true });
      for (const code of [0, 1, 999, 1001, 1005, 1006, 1015, 2999, 5000, 65_535, 66_536, -1, NaN, Infinity, null, 'x', '', {}, 2999.4]) {
        const error = t.throws('InvalidAccessError', () => socket.close(code), `close(${String(code)})`);
        t.equal(error.code, 15, 'code');
        t.equal(socket.readyState, 1, 'readyState');
      }
      socket.send('still open');
      await log.until('message');
      t.equal(peer.close, undefined, 'frame');
    },
  },
  {
    id: 'closing/long-reason',
    title: 'a reason of 124 bytes is a SyntaxError, one of 123 is sent',
    spec,
    async run(t) {
      const { socket, log, peer } = await t.connected({});
      t.throws('SyntaxError', () => socket.close(1000, 'x'.repeat(124)));
      t.equal(socket.readyState, 1, 'readyState');
      socket.close(1000, 'x'.repeat(123));
      const event = await log.until('close');
      t.equal(event.reason, 'x'.repeat(123), 'reason');
      t.equal((await t.closeFrame(peer)).reason, 'x'.repeat(123), 'reason in the frame');
    },
  },
  {
    id: 'closing/reason-in-bytes',
    title: 'the length of a reason is that of its UTF-8',
    spec,
    async run(t) {
      const { socket, log, peer } = await t.connected({});
      t.throws('SyntaxError', () => socket.close(1000, 'é'.repeat(62)), '124 bytes');
      t.throws('SyntaxError', () => socket.close(1000, '🌍'.repeat(31)), '124 bytes');
      t.throws('SyntaxError', () => socket.close(1000, '\ud800'.repeat(42)), '126 bytes');
      socket.close(3000, 'é'.repeat(61));
      const event = await log.until('close');
      t.equal(event.reason, 'é'.repeat(61), 'reason');
      t.equal((await t.closeFrame(peer)).reason, 'é'.repeat(61), 'reason in the frame');
    },
  },
  {
    id: 'closing/reason-surrogate',
    title: 'a lone surrogate in a reason becomes U+FFFD',
    spec: 'webidl: USVString',
    async run(t) {
      const { event, frame } = await closes(t, [1000, 'a\ud800b']);
      t.equal(event.reason, 'a\ufffdb', 'reason');
      t.equal(frame.reason, 'a\ufffdb', 'reason in the frame');
    },
  },
  {
    id: 'closing/reason-converted',
    title: 'a reason is turned into text',
    spec: 'webidl: USVString',
    async run(t) {
      const { event } = await closes(t, [1000, null]);
      t.equal(event.reason, 'null', 'reason');
      const object = await closes(t, [1000, { toString: () => 'own' }]);
      t.equal(object.event.reason, 'own', 'reason');
    },
  },
  {
    id: 'closing/reason-without-code',
    title: 'a reason behind an undefined code is an InvalidAccessError, though undefined should be as if missing',
    spec: 'webidl: optional arguments; Chromium differs',
    async run(t) {
      const { socket } = await t.connected({});
      t.throws('InvalidAccessError', () => socket.close(undefined, 'why'));
      t.equal(socket.readyState, 1, 'readyState');
    },
  },
  {
    id: 'closing/code-first',
    title: 'of an invalid code and a long reason the code is named',
    spec,
    async run(t) {
      const { socket } = await t.connected({});
      t.throws('InvalidAccessError', () => socket.close(1, 'x'.repeat(124)));
    },
  },
  {
    id: 'closing/invalid-in-any-state',
    title: 'invalid arguments throw in every state',
    spec,
    async run(t) {
      const { socket, log } = t.connect({});
      t.throws('InvalidAccessError', () => socket.close(1), 'while connecting');
      t.equal(socket.readyState, 0, 'readyState');
      await log.until('open');
      socket.close();
      t.throws('InvalidAccessError', () => socket.close(1), 'while closing');
      await log.until('close');
      t.throws('InvalidAccessError', () => socket.close(1), 'when closed');
      t.throws('SyntaxError', () => socket.close(1000, 'x'.repeat(124)), 'when closed');
      t.same(log.story, ['open', 'close 1005']);
    },
  },
  {
    id: 'closing/while-connecting',
    title: 'close() while CONNECTING: error, then close with 1006, neither of them within the call',
    spec,
    async run(t) {
      const { socket, log, peer } = t.connect({ hold: 'go' });
      await t.until(() => peer.request, 'the handshake');
      socket.close(1000, 'never mind');
      t.same(log.story, [], 'within the call');
      await null;
      t.same(log.story, [], 'in a microtask');
      await log.until('close');
      peer.go();
      await t.quiet();
      t.same(log.story, ['error', 'close 1006, not clean']);
    },
  },
  {
    id: 'closing/at-once',
    title: 'close() right after construction reaches no server, or leaves it again',
    spec,
    async run(t) {
      const { socket, log, peer } = t.connect({});
      socket.close();
      await log.until('close');
      t.same(log.story, ['error', 'close 1006, not clean']);
      await t.quiet();
      await t.until(() => !peer.request || peer.isGone, 'no connection left');
    },
  },
  {
    id: 'closing/twice',
    title: 'a second close() changes nothing, and only one event comes',
    spec,
    async run(t) {
      const { socket, log, peer } = await t.connected({});
      socket.close(3001, 'first');
      socket.close(3002, 'second');
      await log.until('close');
      socket.close(3003);
      await t.quiet();
      t.same(log.story, ['open', 'close 3001 first']);
      t.equal(peer.frames.length, 1, 'frames');
      t.equal(socket.readyState, 3, 'readyState');
    },
  },
  {
    id: 'closing/not-in-the-call',
    title: 'the event of close() comes in a later task',
    spec,
    async run(t) {
      const { socket, log } = await t.connected({});
      socket.close();
      await null;
      t.same(log.story, ['open'], 'in a microtask');
      await log.until('close');
    },
  },
  {
    id: 'closing/in-open',
    title: 'close() in the listener of open',
    spec,
    async run(t) {
      const { socket, log, peer } = t.connect({ steps: [text('unheard')] });
      socket.onopen = () => socket.close(3000, 'at once');
      await log.until('close');
      t.same(log.story, ['open', 'close 3000 at once']);
      t.same(await t.closeFrame(peer), { code: 3000, reason: 'at once' }, 'frame');
    },
  },
  {
    id: 'closing/in-message',
    title: 'close() in the listener of a message, after a last send()',
    spec,
    async run(t) {
      const { socket, log, peer } = t.connect({ steps: [text('x')] });
      socket.onmessage = () => { socket.send('last'); socket.close(1000); };
      await log.until('close');
      await t.closeFrame(peer);
      t.same(peer.messages, ['last'], 'messages');
      t.same(log.story, ['open', 'message x', 'close 1000']);
    },
  },
  {
    id: 'closing/in-error-and-close',
    title: 'close() in the listeners of error and of close does nothing more',
    spec,
    async run(t) {
      const { socket, log } = t.connect({ status: 500 });
      socket.onerror = () => socket.close(3000);
      socket.onclose = () => socket.close(3000);
      await log.until('close');
      await t.quiet();
      t.same(log.story, ['error', 'close 1006, not clean']);
    },
  },
  ...byServer,
  {
    id: 'closing/server-any-code',
    title: 'any other code of a server is passed on too, even those that nobody may send; 1005, 1006 and 1015 are breaches',
    spec: 'rfc6455 7.4; Chromium is lenient',
    async run(t) {
      for (const code of [0, 999, 1004, 1014, 2999, 5000, 65_535]) {
        const { log } = t.connect({ steps: [close(code, 'odd')] });
        await log.until('close');
        t.same(log.story, ['open', `close ${code} odd`]);
      }
    },
  },
  {
    id: 'closing/server-without-code',
    title: "a server's empty Close frame shows as 1005, clean",
    spec: 'rfc6455 7.1.5',
    async run(t) {
      const { log, peer } = t.connect({ steps: [close()] });
      const event = await log.until('close');
      t.same([event.code, event.reason, event.wasClean], [1005, '', true]);
      t.same(await t.closeFrame(peer), { code: null, reason: '' }, 'answer');
    },
  },
  {
    id: 'closing/server-reason',
    title: "a server's reason may have 123 bytes, and any letters",
    spec: 'rfc6455 5.5.1',
    async run(t) {
      const { log } = t.connect({ steps: [close(4000, `${'🌍'.repeat(30)}äx`)] });
      const event = await log.until('close');
      t.equal(event.reason, `${'🌍'.repeat(30)}äx`, 'reason');
    },
  },
  {
    id: 'closing/both-at-once',
    title: "of two Close frames that cross, the server's code is seen",
    spec: 'rfc6455 7.1.5',
    async run(t) {
      const { socket, log, peer } = await t.connected({ onClose: 'ignore', steps: [until('close'), close(4002, 'theirs'), END] });
      socket.close(4001, 'ours');
      await log.until('close');
      t.same(log.story, ['open', 'close 4002 theirs']);
      t.same(await t.closeFrame(peer), { code: 4001, reason: 'ours' }, 'our frame');
    },
  },
  {
    id: 'closing/cut-without-close-frame',
    title: 'a connection that ends without a Close frame: close with 1006 and no error',
    spec: 'rfc6455 7.1.5',
    async run(t) {
      const { log } = t.connect({ steps: [text('x'), END] });
      await log.until('close');
      t.same(log.story, ['open', 'message x', 'close 1006, not clean']);
    },
  },
  {
    id: 'closing/reset',
    title: 'a reset connection: close with 1006, once and without an error',
    spec: 'websockets: the connection is closed',
    async run(t) {
      const { log, peer } = await t.connected({ steps: [until('go'), RESET] });
      peer.go();
      await log.until('close');
      await t.quiet();
      t.same(log.story, ['open', 'close 1006, not clean']);
    },
  },
  {
    id: 'closing/cut-while-closing',
    title: 'a connection that ends before it answers our Close frame was not closed cleanly',
    spec: 'rfc6455 7.1.5',
    async run(t) {
      const { socket, log } = await t.connected({ onClose: 'ignore', steps: [until('close'), RESET] });
      socket.close(1000);
      await log.until('close');
      t.equal(log.events('close')[0].code, 1006, 'code');
      t.equal(log.events('close')[0].wasClean, false, 'wasClean');
    },
  },
  {
    id: 'closing/unanswered',
    title: 'a Close frame that the server does not answer: the socket is CLOSING until it does',
    spec: 'rfc6455 7.1.2',
    async run(t) {
      const { socket, log, peer } = await t.connected({ onClose: 'ignore', steps: [until('go'), close(1000, 'at last'), END] });
      socket.close(1000);
      await t.closeFrame(peer);
      await t.quiet();
      t.same(log.story, ['open'], 'events');
      t.equal(socket.readyState, 2, 'readyState');
      peer.go();
      await log.until('close');
      t.same(log.story, ['open', 'close 1000 at last']);
    },
  },
  {
    id: 'closing/lingering',
    title: 'a server that answers but does not hang up: the close is clean',
    spec: 'rfc6455 7.1.1',
    isSlow: true,
    async run(t) {
      const { socket, log } = await t.connected({ onClose: 'linger' });
      socket.close(1000, 'bye');
      await log.until('close');
      t.same(log.story, ['open', 'close 1000 bye']);
    },
  },
  {
    id: 'closing/event',
    title: 'the event is a CloseEvent that neither bubbles nor can be cancelled',
    spec: 'websockets: CloseEvent',
    async run(t) {
      const { socket, log } = t.connect({ steps: [close(1000, 'x')] });
      const event = await log.until('close');
      t.equal(event.constructor, CloseEvent, 'class');
      t.same([event.bubbles, event.cancelable, event.composed], [false, false, false], 'bubbles, cancelable, composed');
      t.equal(event.target, socket, 'target');
      t.same([event.type, event.code, event.reason, event.wasClean], ['close', 1000, 'x', true]);
    },
  },
  {
    id: 'closing/nothing-afterwards',
    title: 'after close no event comes, whatever is called',
    spec,
    async run(t) {
      const { socket, log } = await t.connected({ steps: [close(1000)] });
      await log.until('close');
      socket.send('x');
      socket.close();
      await t.until(() => socket.readyState === 3, 'CLOSED');
      await t.quiet();
      t.same(log.story, ['open', 'close 1000']);
    },
  },
];
