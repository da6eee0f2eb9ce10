// The retry field: the time to wait before a connection is tried again.

import { END, message } from '../page/steps.js';

const spec = 'interpreting an event stream';

/** A case whose stream sets 20 ms and then says what must not set anything: with a minute it would not be over in time. */
const ignored = (id, title, field) => ({
  id,
  title,
  spec,
  async run(t) {
    const log = t.record(t.open(t.url(['retry: 20\n', field, '\n', END], message('a'))));
    await log.until('message');
    t.equal(log.lines, ['open', 'error connecting', 'open', 'message a'], 'events');
  },
});

const wait = async (t, url) => {
  const [first, second] = await t.arrived(url, 2);
  return second.at - first.at;
};

export const retry = [
  {
    id: 'retry-applied',
    title: 'retry is the least time to wait, in ms',
    spec,
    async run(t) {
      const url = t.url(['retry: 400\n\n', END], message('a'));
      t.record(t.open(url));
      t.between(await wait(t, url), 390, 2500, 'ms between the requests');
    },
  },
  {
    id: 'retry-without-empty-line',
    title: 'it counts at once, without an empty line behind it',
    spec,
    async run(t) {
      const url = t.url(['retry:20\n', END], message('a'));
      t.record(t.open(url));
      t.between(await wait(t, url), 15, 2000, 'ms between the requests');
    },
  },
  {
    id: 'retry-silent',
    title: 'it dispatches nothing',
    spec,
    async run(t) {
      const source = t.open(t.url(['retry: 20\n\n', 'event: other\nretry: 20\n\n', END]));
      const log = t.record(source, ['other']);
      await log.until('error');
      t.equal(log.lines, ['open', 'error connecting'], 'events');
    },
  },
  {
    id: 'retry-within-event',
    title: 'it may stand within an event',
    spec,
    async run(t) {
      const url = t.url(['data: a\nretry: 20\ndata: b\n\n', END], message('c'));
      const log = t.record(t.open(url));
      await log.until('message', 2);
      t.equal(log.data, ['a\nb', 'c'], 'data');
      t.between(await wait(t, url), 15, 2000, 'ms between the requests');
    },
  },
  {
    id: 'retry-last',
    title: 'the last one counts',
    spec,
    async run(t) {
      const url = t.url(['retry: 60000\nretry: 20\n\n', END], message('a'));
      await t.record(t.open(url)).until('message');
    },
  },
  {
    id: 'retry-leading-zeros',
    title: 'it is read in base ten',
    spec,
    async run(t) {
      const url = t.url(['retry: 0400\n\n', END], message('a'));
      t.record(t.open(url));
      t.between(await wait(t, url), 390, 2500, 'ms between the requests');
    },
  },
  {
    id: 'retry-zero',
    title: 'it may be 0',
    spec,
    async run(t) {
      const url = t.url(['retry: 0\n\n', END], message('a'));
      t.record(t.open(url));
      t.between(await wait(t, url), 0, 2000, 'ms between the requests');
    },
  },
  {
    id: 'retry-persists',
    title: 'it holds for all reconnections that follow',
    spec,
    async run(t) {
      const log = t.record(t.open(t.url(['retry: 20\n\n', END], [END], [END], message('a'))));
      await log.until('message');
      t.equal(log.count('error'), 3, 'errors');
    },
  },
  ignored('retry-unit', 'letters behind the digits make it nothing', 'retry: 60000ms\n'),
  ignored('retry-letters', 'so do letters alone', 'retry: soon\n'),
  ignored('retry-negative', 'so does a minus', 'retry: -60000\n'),
  ignored('retry-plus', 'so does a plus', 'retry: +60000\n'),
  ignored('retry-fraction', 'so does a point', 'retry: 60000.5\n'),
  ignored('retry-exponent', 'so does an exponent', 'retry: 6e4\n'),
  ignored('retry-hex', 'so does a base', 'retry: 0xea60\n'),
  ignored('retry-spaces', 'so does a space more than one', 'retry:  60000\n'),
  ignored('retry-space-behind', 'so does a space behind', 'retry: 60000 \n'),
  ignored('retry-other-digits', 'so do digits that are not ASCII', 'retry: ٦٠٠٠٠\n'),
  ignored('retry-case', 'its name is case-sensitive', 'Retry: 60000\n'),
  {
    id: 'retry-default',
    title: 'without retry it waits a few seconds',
    spec: 'reconnection time',
    isSlow: true,
    async run(t) {
      const url = t.url([END], message('a'));
      t.record(t.open(url));
      t.between(await wait(t, url), 1000, 5500, 'ms between the requests');
    },
  },
  {
    id: 'retry-empty',
    title: 'an empty retry sets the default again',
    spec: 'Chromium',
    isSlow: true,
    async run(t) {
      const url = t.url(['retry: 20\nretry:\n\n', END], message('a'));
      t.record(t.open(url));
      t.between(await wait(t, url), 1000, 5500, 'ms between the requests');
    },
  },
];
