// What a code of the server's means: the table of docs/ws-chat.md.

import { close } from '../script.js';
import { codes, manage } from './common.js';

const passing = (code) => ({
  id: `close-codes/${code}`,
  title: `${code} is a lost connection, and made again`,
  async run(t) {
    const { log } = manage(t, [{ steps: [close(code)] }]);
    await log.until('open', 2);
    t.same(codes(log, 'close').slice(0, 1), [code > 4400 && code < 4600 ? 'http-status' : 'disconnected']);
  },
});

const fatal = (code, error) => ({
  id: `close-codes/${code}`,
  title: `${code} is the end: ${error}`,
  async run(t) {
    const { socket, log, peers: [peer] } = manage(t, [{ steps: [close(code, 'why')] }]);
    const event = await log.until('close');
    t.same([event.willReconnect, event.error.code, event.error.detail, event.error.retryable], [false, error, 'why', false]);
    t.equal(event.error.closeCode, code, 'closeCode');
    if (code > 4000) t.equal(event.error.status, code - 4000, 'status');
    await t.quiet();
    t.same([socket.readyState, peer.connections.length, log.story], [3, 1, ['open', `close ${code} why`]]);
  },
});

export default [
  ...[1000, 1001, 1011, 1012, 1014, 4000, 4399, 4408, 4425, 4429, 4500, 4503, 4599, 4600, 4999].map(passing),
  ...[1002, 1003, 1007, 1008, 1009, 1010].map((code) => fatal(code, 'socket-refused')),
  ...[4400, 4403, 4404, 4410, 4499].map((code) => fatal(code, 'http-status')),
  fatal(4401, 'unauthorized'),
  {
    id: 'close-codes/1013',
    title: '1013 is made again, but not before 5 s',
    async run(t) {
      const { log } = manage(t, [{ steps: [close(1013)] }]);
      const before = Date.now();
      const { retryAt } = await log.until('close');
      t.ok(retryAt >= before + 4900 && retryAt <= Date.now() + 5100, `5 s: ${retryAt - before}`);
    },
  },
  {
    id: 'close-codes/4401-asks-anew',
    title: 'with a URL that is a function, 4401 asks it once more, and then it is the end',
    async run(t) {
      const refused = { steps: [close(4401)] };
      const { socket, log, peers } = manage(t, [refused, refused]);
      await t.until(() => socket.readyState === 3, 'CLOSED');
      t.same(codes(log, 'close'), ['unauthorized', 'unauthorized']);
      t.same(log.events('close').map(({ willReconnect }) => willReconnect), [true, false]);
      t.same(peers.map(({ connections }) => connections.length), [1, 1]);
    },
  },
];
