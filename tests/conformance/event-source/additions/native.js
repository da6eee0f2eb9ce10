// transport: 'native' is the browser's own EventSource, with our error beside its silence.

import { END, SOON, message } from '../page/steps.js';
import { codes } from './common.js';

const NATIVE = { transport: 'native' };

export const native = [
  {
    id: 'native-stream',
    title: 'messages, named events, ids and reconnections are the browser\'s',
    async run(t) {
      const url = t.url([SOON, 'id: 1\n', message('a'), 'event: x\ndata: b\n\n', END], message('c'));
      const log = t.record(t.open(url, NATIVE), ['x']);
      await log.until('message', 2);
      t.equal(log.lines, ['open', 'message a', 'x b', 'error connecting', 'open', 'message c'], 'events');
      t.equal(log.messages.map(({ lastEventId }) => lastEventId), ['1', '1', '1'], 'lastEventId');
      t.equal(codes(log), ['disconnected'], 'codes');
      t.equal((await t.requests(url))[1].headers['last-event-id'], '1', 'Last-Event-ID');
    },
  },
  {
    id: 'native-failure',
    title: 'its failure is final, and says what is known: nothing',
    async run(t) {
      const source = t.open(t.url({ status: 503 }), NATIVE);
      const log = t.record(source);
      await log.until('error');
      t.equal([log.lines, codes(log), source.readyState], [['error closed'], ['connect-failed'], 2], 'events');
    },
  },
  {
    id: 'native-server-error',
    title: 'an event that the server names error is one',
    async run(t) {
      const log = t.record(t.open(t.url('event: error\ndata: a\n\n'), NATIVE));
      await log.until('error');
      t.equal([log.lines, log.entries[1].event.error], [['open', 'error a'], undefined], 'events');
    },
  },
  {
    id: 'native-close',
    title: 'close() and an abort end it',
    async run(t) {
      const control = new AbortController();
      const urls = [t.url(message('a')), t.url(message('a'))];
      const [one, two] = [t.open(urls[0], { ...NATIVE, withCredentials: true }), t.open(urls[1], { ...NATIVE, signal: control.signal })];
      await Promise.all([one, two].map((source) => t.record(source).until('message')));
      t.equal(one.withCredentials, true, 'withCredentials');
      one.close();
      control.abort();
      await Promise.all(urls.map((url) => t.left(url, 1)));
      t.equal([one.readyState, two.readyState], [2, 2], 'readyStates');
    },
    connections: 2,
  },
  {
    id: 'native-cannot',
    title: 'what it cannot do is refused',
    async run(t) {
      for (const [name, value] of Object.entries({ method: 'POST', headers: {}, body: 'x', lastEventId: '1', retry: {}, connectGraceMs: 1 })) {
        let path;
        try {
          t.open(t.url([]), { ...NATIVE, [name]: value });
        } catch (error) {
          ({ path } = error);
        }
        t.equal(path, name, 'path');
      }
    },
  },
];
