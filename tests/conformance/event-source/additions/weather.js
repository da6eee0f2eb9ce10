// The page goes offline, is left and comes back. One at a time: the signals are the whole page's.

import { CUT, gate, message } from '../page/steps.js';
import { QUICK, codes, errorOf } from './common.js';

const ALONE = 6;
const tell = (type) => window.dispatchEvent(new Event(type));

export const weather = [
  {
    id: 'weather-offline',
    title: 'while the page is offline nothing is asked, and once it is online it is asked at once',
    connections: ALONE,
    async run(t) {
      const url = t.url(['id: 1\n', message('a'), gate('cut'), CUT], message('b'));
      const source = t.open(url, QUICK);
      const log = t.record(source);
      await log.until('message');
      tell('offline');
      await t.release(url, 'cut');
      await log.until('error');
      t.equal([source.readyState, errorOf(log).retryAt], [0, null], 'readyState and retryAt');
      await t.pause(200);
      t.equal((await t.requests(url)).length, 1, 'requests while offline');
      tell('online');
      await log.until('message', 2);
      t.equal((await t.requests(url))[1].headers['last-event-id'], '1', 'Last-Event-ID');
    },
  },
  {
    id: 'weather-left',
    title: 'a page that is left lets its connection go, and goes on after its last id when it is shown again',
    connections: ALONE,
    async run(t) {
      const url = t.url(['id: 1\n', message('a')], message('b'));
      const source = t.open(url, QUICK);
      const log = t.record(source);
      await log.until('message');
      tell('pagehide');
      await t.left(url, 1);
      await log.until('error');
      t.equal([codes(log), source.readyState, errorOf(log).retryAt], [['disconnected'], 0, null], 'error');
      await t.pause(100);
      t.equal((await t.requests(url)).length, 1, 'requests meanwhile');
      tell('pageshow');
      await log.until('message', 2);
      t.equal([log.lines, (await t.requests(url))[1].headers['last-event-id']], [['open', 'message a', 'error connecting', 'open', 'message b'], '1'], 'events and cursor');
    },
  },
  {
    id: 'weather-offline-and-silent',
    title: 'a stream that said nothing since the network went is asked for anew when it is back',
    connections: ALONE,
    async run(t) {
      const url = t.url(message('a'), message('b'));
      const log = t.record(t.open(url, QUICK));
      await log.until('message');
      tell('offline');
      tell('online');
      await log.until('message', 2);
      t.equal(codes(log), ['disconnected'], 'codes');
    },
  },
];
