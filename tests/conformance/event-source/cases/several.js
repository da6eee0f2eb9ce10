// More than one source at a time.

import { END, SOON, gate, message } from '../page/steps.js';

const spec = 'the EventSource interface';

export const several = [
  {
    id: 'several-apart',
    title: 'sources do not hear each other',
    spec,
    connections: 3,
    async run(t) {
      const names = ['a', 'b', 'c'];
      const logs = names.map((name) => t.record(t.open(t.url([`id: ${name}\n`, message(name), message(name)]))));
      await Promise.all(logs.map((log) => log.until('message', 2)));
      const said = logs.map((log) => log.messages.map(({ data, lastEventId }) => [data, lastEventId]));
      t.equal(said, names.map((name) => [[name, name], [name, name]]), 'data and ids');
    },
  },
  {
    id: 'several-same-url',
    title: 'two sources of one URL are two connections',
    spec,
    connections: 2,
    async run(t) {
      const url = t.url(message('a'), message('b'));
      const logs = [t.record(t.open(url)), t.record(t.open(url))];
      await Promise.all(logs.map((log) => log.until('message')));
      t.equal(logs.flatMap((log) => log.data).sort(), ['a', 'b'], 'data');
      t.equal((await t.requests(url)).length, 2, 'requests');
    },
  },
  {
    id: 'several-close-one',
    title: 'closing one leaves the other',
    spec,
    connections: 2,
    async run(t) {
      const url = t.url([message('a'), gate('later'), message('b')], [message('a'), gate('later'), message('b')]);
      const [one, two] = [t.open(url), t.open(url)];
      const logs = [t.record(one), t.record(two)];
      await Promise.all(logs.map((log) => log.until('message')));
      one.close();
      await t.release(url, 'later');
      await logs[1].until('message', 2);
      t.equal([one.readyState, two.readyState], [2, 1], 'readyStates');
      t.equal(logs.map((log) => log.data), [['a'], ['a', 'b']], 'data');
    },
  },
  {
    id: 'several-fail-one',
    title: 'the failure of one leaves the other, and its id and wait are its own',
    spec,
    connections: 2,
    async run(t) {
      const failing = t.open(t.url({ status: 500 }));
      const url = t.url([SOON, 'id: 1\ndata: a\n\n', END], message('b'));
      const log = t.record(t.open(url));
      const failed = t.record(failing);
      await Promise.all([log.until('message', 2), failed.until('error')]);
      t.equal([failed.lines, log.lines], [['error closed'], ['open', 'message a', 'error connecting', 'open', 'message b']], 'events');
    },
  },
  {
    id: 'several-new-in-listener',
    title: 'a source may be made and the old one closed in a listener',
    spec,
    connections: 2,
    async run(t) {
      const urls = [t.url([message('a') + message('b')]), t.url(message('c'))];
      const one = t.open(urls[0]);
      const logs = [t.record(one)];
      const made = new Promise((resolve) => {
        one.onmessage = () => {
          one.close();
          const two = t.open(urls[1]);
          logs.push(t.record(two));
          resolve(two.readyState);
        };
      });
      t.equal(await made, 0, 'readyState of the new one');
      await logs[1].until('message');
      t.equal(logs.map((log) => log.lines), [['open', 'message a'], ['open', 'message c']], 'events');
    },
  },
];
