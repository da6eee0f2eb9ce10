// The id field, as events show it; reconnection.js has what becomes of it afterwards.

import { saying } from './stream.js';

const it = saying('interpreting an event stream');
const a = (lastEventId) => ['a', 'message', lastEventId];

export const ids = [
  it('id-set', 'an event has its id', 'id: 1\ndata: a\n\ndata: a\nid:2\n\n', [a('1'), a('2')]),
  it('id-persists', 'an id holds until there is another', 'id: 1\ndata: a\n\ndata: a\n\nid: 2\ndata: a\n\n', [a('1'), a('1'), a('2')]),
  it('id-last', 'the last one of an event counts', 'id: 1\nid: 2\ndata: a\n\n', [a('2')]),
  it('id-empty', 'an empty one takes it away', 'id: 1\ndata: a\n\nid:\ndata: a\n\n', [a('1'), a('')]),
  it('id-no-colon', 'so does one without a colon', 'id: 1\ndata: a\n\nid\ndata: a\n\n', [a('1'), a('')]),
  it('id-nul', 'one with NUL is ignored', 'id: 1\ndata: a\n\nid: 2\0\ndata: a\n\nid: \0\ndata: a\n\n', [a('1'), a('1'), a('1')]),
  it('id-nul-later', 'one with NUL leaves the one before it', 'id: 1\nid: 2\0\ndata: a\n\n', [a('1')]),
  it('id-without-data', 'one without data holds for what follows', 'id: 1\n\ndata: a\n\n', [a('1')]),
  it('id-spaces', 'spaces belong to it, but for the first', 'id:  1 \ndata: a\n\n', [a(' 1 ')]),
  it('id-any', 'it may be anything', 'id: ä"\u20ac😀:\ndata: a\n\n', [a('ä"\u20ac😀:')]),
  it('id-case', 'its name is case-sensitive', 'ID: 1\nId: 2\ndata: a\n\n', [a('')]),
  it('id-named-event', 'it holds across events of other names', 'id: 1\nevent: other\ndata: a\n\ndata: a\n\n',
    [['a', 'other', '1'], a('1')], ['other']),
  it('id-comment', 'a comment is none', 'id: 1\n:id: 2\ndata: a\n\n', [a('1')]),
];
