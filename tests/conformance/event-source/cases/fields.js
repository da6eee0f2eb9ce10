// Fields: data and event, comments, and what is neither.

import { saying } from './stream.js';

const it = saying('interpreting an event stream');

export const fields = [
  it('data-lines', 'lines of data are joined with LF', 'data: a\ndata:\ndata: b\n\n', ['a\n\nb']),
  it('data-space-one', 'one space behind the colon is dropped', 'data:  a \n\n', [' a ']),
  it('data-space-none', 'it need not be there', 'data:a\n\n', ['a']),
  it('data-tab', 'a tab is kept', 'data:\ta\n\n', ['\ta']),
  it('data-colons', 'the first colon ends the name, others are content', 'data: a: b:c\n\ndata::\n\n', ['a: b:c', ':']),
  it('data-no-colon', 'data without a colon is an empty line', 'data\n\ndata\ndata\n\n', ['', '\n']),
  it('data-empty', 'an empty data field dispatches an empty event', 'data:\n\ndata: \n\n', ['', '']),
  it('data-none', 'without data nothing is dispatched', 'event: other\n\nid: 1\n\n\n\n', [], ['other']),
  it('data-nul', 'NUL in data stays', 'data: a\0b\n\n', ['a\0b']),
  it('data-quotes', 'data is not interpreted', 'data: {"a": "\\n"} <b>&amp;</b>\n\n', ['{"a": "\\n"} <b>&amp;</b>']),
  it('data-reset', 'data does not run over into the next event', 'data: a\n\n\n\ndata: b\n\n', ['a', 'b']),
  it('name-case', 'names are case-sensitive', 'Data: a\nDATA: b\ndata: c\n\n', ['c']),
  it('name-space-before', 'a space before a name makes it another', ' data: a\ndata: b\n\n', ['b']),
  it('name-space-behind', 'so does one behind it', 'data : a\ndata: b\n\n', ['b']),
  it('name-unknown', 'unknown fields are ignored', 'foo: a\nfoo\ndat: b\ndata1: c\ndata: d\n\n', ['d']),
  it('name-json', 'so are lines that are no fields', '{"data": "a"}\nsome text\n\ndata: b\n\n', ['b']),
  it('comment', 'comments are ignored, within an event too', ': a\n:\n\ndata: b\n:data: c\ndata: d\n\n', ['b\nd']),
  it('comment-only', 'a comment alone dispatches nothing', ': a\n\n: b\n\n', []),
  it('event-name', 'event names the event', 'event: one\ndata: a\n\ndata: b\nevent:two\n\n', [['a', 'one'], ['b', 'two']], ['one', 'two']),
  it('event-reset', 'the name does not run over into the next event', 'event: one\ndata: a\n\ndata: b\n\n', [['a', 'one'], 'b'], ['one']),
  it('event-reset-without-data', 'not even from an event without data', 'event: one\n\ndata: b\n\n', ['b'], ['one']),
  it('event-empty', 'an empty name is "message"', 'event: one\nevent:\ndata: a\n\nevent\ndata: b\n\n', ['a', 'b'], ['one']),
  it('event-last', 'the last name counts', 'event: one\nevent: two\ndata: a\n\n', [['a', 'two']], ['one', 'two']),
  it('event-message', 'a name may be "message"', 'event: message\ndata: a\n\n', ['a']),
  it('event-spaces', 'spaces in a name belong to it', 'event:  one two \ndata: a\n\n', [['a', ' one two ']], ['one two', ' one two ']),
  it('event-case', 'names of events are case-sensitive', 'event: Message\ndata: a\n\n', [['a', 'Message']], ['Message']),
  it('event-unicode', 'a name may have any character', 'event: Ä😀\ndata: a\n\n', [['a', 'Ä😀']], ['Ä😀']),
  it('event-nul', 'NUL, too', 'event: a\0b\ndata: a\n\n', [['a', 'a\0b']], ['a\0b', 'a']),
  it('event-object-names', 'names of JavaScript\'s own are names like others',
    'event: __proto__\ndata: a\n\nevent: constructor\ndata: b\n\nevent: toString\ndata: c\n\n',
    [['a', '__proto__'], ['b', 'constructor'], ['c', 'toString']], ['__proto__', 'constructor', 'toString']),
  it('event-unheard', 'an event that nobody listens for is nothing to others', 'event: other\ndata: a\n\ndata: b\n\n', ['b']),
];
