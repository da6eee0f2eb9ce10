// How a stream falls into lines, and lines into chunks.

import { END, SPLIT, fill, hex, message, numbered } from '../page/steps.js';
import { saying } from './stream.js';

const it = saying('parsing an event stream');

/** Every byte as a chunk of its own. */
const apart = (text) => [...new TextEncoder().encode(text)].flatMap((byte) => [hex(byte.toString(16).padStart(2, '0')), SPLIT]);

export const lines = [
  it('line-lf', 'LF ends a line', 'data: a\ndata: b\n\n', ['a\nb']),
  it('line-cr', 'CR ends a line', 'data: a\rdata: b\r\r', ['a\nb']),
  it('line-crlf', 'CRLF ends a line, once', 'data: a\r\ndata: b\r\n\r\n', ['a\nb']),
  it('line-mixed', 'all three may be mixed', 'data: a\rdata: b\ndata: c\r\ndata: d\n\r', ['a\nb\nc\nd']),
  it('line-lf-cr', 'LF and then CR are two ends', 'data: a\n\rdata: b\n\r', ['a', 'b']),
  it('line-crlf-split', 'CR and LF in two chunks are one end',
    ['data: a\r', SPLIT, '\ndata: b\r', SPLIT, '\n\r', SPLIT, '\n'], ['a\nb']),
  it('line-cr-then-chunk', 'a CR at the end of a chunk is an end, whatever comes next',
    ['data: a\r', SPLIT, 'data: b\r', SPLIT, '\r', SPLIT, message('c')], ['a\nb', 'c']),
  it('line-crlf-split-empty', 'CRLF, CR, and the LF in the next chunk are two ends', ['data: a\r\n\r', SPLIT, '\ndata: b\n\n'], ['a', 'b']),
  {
    id: 'line-cr-dispatches-at-once',
    title: 'an event that ends with CR is dispatched without waiting for what follows',
    spec: 'parsing an event stream',
    async run(t) {
      const source = t.open(t.url('data: a\r\r'));
      const log = t.record(source);
      await log.until('message');
      t.equal(log.lines, ['open', 'message a'], 'events');
    },
  },
  it('line-others-do-not-end', 'no other character ends a line', 'data: a\u2028b\u2029c\u0085d\u000be\u000cf\n\n',
    ['a\u2028b\u2029c\u0085d\u000be\u000cf']),
  it('line-many-empty', 'empty lines alone are nothing', [fill('\n', 1000), fill('\r\n', 1000), message('a'), fill('\n', 10)], ['a']),
  it('line-byte-by-byte', 'a stream may come a byte at a time', apart('id:1\r\ndata:ä€\r\n\r\ndata:😀\n\n'),
    [['ä€', 'message', '1'], ['😀', 'message', '1']]),
  it('line-long', 'a line may have a megabyte', ['data: ', fill('x', 1 << 20), '\n\n', message('b')], ['x'.repeat(1 << 20), 'b']),
  it('line-long-comment', 'so may a comment', [':', fill('data: x\t', 1 << 17), '\n', message('b')], ['b']),
  it('line-many-data', 'an event may have thousands of lines', [fill('data: x\n', 5000), '\n'], [Array(5000).fill('x').join('\n')]),
  {
    id: 'line-many-events',
    title: 'thousands of events in one chunk come one by one, in order',
    spec: 'parsing an event stream',
    async run(t) {
      const count = 3000;
      const source = t.open(t.url([numbered(message('#'), count), END]));
      const log = t.record(source);
      await log.until('error');
      source.close();
      t.equal(log.data, Array.from({ length: count }, (_, i) => String(i)), 'data');
    },
  },
  it('line-eof-no-line-end', 'at the end a line without an end is dropped', [message('a'), 'data: b'], ['a']),
  it('line-eof-no-empty-line', 'at the end an event without an empty line is dropped', [message('a'), 'data: b\n'], ['a']),
  it('line-eof-crlf', 'so it is with CRLF', [message('a'), 'data: b\r\n'], ['a']),
  it('line-eof-cr-cr', 'two CR at the end do dispatch', 'data: a\r\r', ['a']),
  it('line-eof-cut-in-crlf', 'an event is whole though the LF of its last CRLF never comes', 'data: a\r\n\r', ['a']),
  it('line-bom', 'a byte order mark at the start is dropped', [hex('efbbbf'), message('a')], ['a']),
  it('line-bom-split', 'even in three chunks', [hex('ef'), SPLIT, hex('bb'), SPLIT, hex('bf'), SPLIT, message('a')], ['a']),
  it('line-bom-twice', 'a second one is part of the first line', [hex('efbbbf efbbbf'), 'data: a\ndata: b\n\n'], ['b']),
  it('line-bom-later', 'one at the start of a later line is part of it', [message('a'), '\ufeffdata: b\n\n', message('c')], ['a', 'c']),
  it('line-bom-in-data', 'one inside of data stays', 'data:\ufeffa\ufeff\n\n', ['\ufeffa\ufeff']),
  it('line-bom-incomplete', 'the beginning of one alone is no mark', [hex('efbb'), 'data: a\ndata: b\n\n'], ['b']),
];
