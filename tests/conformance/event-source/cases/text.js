// From bytes to text.

import { SPLIT, hex } from '../page/steps.js';
import { saying } from './stream.js';

const it = saying('UTF-8 decode');

/** data with these bytes, between X and Y. */
const bytes = (text) => ['data: X', hex(text), 'Y\n\n'];

export const text = [
  it('utf8', 'the stream is UTF-8', 'data: aä€😀\u{10ffff}\n\n', ['aä€😀\u{10ffff}']),
  it('utf8-split', 'characters may be split anywhere',
    ['data: ', hex('c3'), SPLIT, hex('a4e2'), SPLIT, hex('82'), SPLIT, hex('acf0'), SPLIT, hex('9f98'), SPLIT, hex('80'), '\n\n'], ['ä€😀']),
  it('utf8-split-name', 'in names, too', ['event: ', hex('c3'), SPLIT, hex('a4'), '\nid: ', hex('e282'), SPLIT, hex('ac'), '\ndata: a\n\n'],
    [['a', 'ä', '€']], ['ä']),
  it('utf8-invalid', 'a byte that cannot be becomes U+FFFD', bytes('ff'), ['X\ufffdY']),
  it('utf8-continuation', 'so does each continuation without a start', bytes('8080'), ['X\ufffd\ufffdY']),
  it('utf8-truncated', 'the beginning of a character is one U+FFFD', bytes('e282'), ['X\ufffdY']),
  it('utf8-truncated-four', 'of one with four bytes, too', bytes('f09f98'), ['X\ufffdY']),
  it('utf8-truncated-split', 'the same over chunks', ['data: X', hex('e2'), SPLIT, hex('82'), SPLIT, 'Y\n\n'], ['X\ufffdY']),
  it('utf8-overlong', 'an overlong form is a U+FFFD for each byte', bytes('c080 e08080'), ['X\ufffd\ufffd\ufffd\ufffd\ufffdY']),
  it('utf8-surrogate', 'an encoded surrogate is three', bytes('eda080'), ['X\ufffd\ufffd\ufffdY']),
  it('utf8-too-big', 'what is beyond U+10FFFF is four', bytes('f4908080'), ['X\ufffd\ufffd\ufffd\ufffdY']),
  it('utf8-eats-no-line-end', 'a broken character does not take the line\'s end with it',
    ['data: X', hex('e2'), '\ndata: Y', hex('f09f'), '\n\n'], ['X\ufffd\nY\ufffd']),
  it('utf8-latin1', 'Latin-1 is not guessed', bytes('e4'), ['X\ufffdY']),
];
