// Applies what a flush brought to what is held. One rule: what did not change stays the same object, so that a memoised
// component of a finished block never renders again; and the cost is that of the change, not of the message.

import { createGrowingJson } from './growing-json.js';

const NOTHING = Object.freeze([]);

/** A transcript before its first event. */
export const EMPTY = Object.freeze({ text: '', parts: NOTHING, blocks: NOTHING, usage: null, metadata: null });

const isText = (part) => part.type === 'text';
const growsByText = (part) => isText(part) || part.type === 'reasoning';

// Of a tool part whose input streams: the part without it, and what has come of it.
const streaming = new WeakMap();

// An object that could reach a prototype when somebody merges it (4.7): its own `__proto__`, or `prototype` below `constructor`.
const isSuspect = (value) => typeof value === 'object' && value !== null && (
  Object.hasOwn(value, '__proto__')
  || (Object.hasOwn(value, 'constructor') && Object.hasOwn(value.constructor ?? {}, 'prototype'))
  || Object.values(value).some(isSuspect));

// To walk through all of it takes longer than to read it: only where the text has such a name, or a letter in disguise.
const MAY_BE_SUSPECT = /__proto__|constructor|\\u/;

const parse = (json) => {
  try {
    const value = JSON.parse(json);
    return MAY_BE_SUSPECT.test(json) && isSuspect(value) ? undefined : value;
  } catch {
    return undefined;
  }
};

// What has come of an input is read when somebody asks for it. `close`: how many of its last units are none of the value yet, and
// what closes the rest; without it the input is text. `growing` reads what the looks before have not, and leaves odd texts and
// views of the past to a look at all of it.
const streamingPart = (base, rawInput, close, growing) => {
  let read = false;
  let value;
  const part = {
    ...base,
    rawInput,
    get input() {
      if (!read) value = close ? inputOf(rawInput, close, growing) : rawInput;
      read = true;
      return value;
    },
  };
  streaming.set(part, { base, rawInput, growing });
  return part;
};

const inputOf = (rawInput, [cut, end], growing) => {
  const kept = rawInput.length - cut;
  return growing.look(kept, end) ?? parse(rawInput.slice(0, kept) + end);
};

// Parts and blocks of one delta, copied once, and each touched part once.
class Draft {
  constructor({ text, parts, blocks }, cut) {
    this.text = text;
    this.parts = [...parts];         // not slice(): V8 copies a frozen array 300 times slower with it
    this.blocks = blocks;
    this.before = new Map();      // index of a touched part -> the part as it was (undefined: new)
    // A change that is not an append at the end.
    this.mustRebuild = cut !== undefined && this.parts.splice(cut).some(isText);
    this.lastText = parts.findLastIndex(isText);
  }

  put(i, part) {
    if (growsByText(part)) part.text ??= '';
    const old = this.parts[i];
    if (!this.before.has(i)) this.before.set(i, old);
    if (isText(part) && i > this.lastText) this.lastText = i;
    // Only a new text part that starts empty leaves what was before it as it was.
    if (old ? isText(old) || isText(part) : part.text && isText(part)) this.mustRebuild = true;
    this.parts[i] = part;
  }

  touch(i) {
    const part = this.parts[i];
    if (!part || !Object.isFrozen(part)) return part;
    const copy = { ...part };
    this.before.set(i, part);
    this.parts[i] = copy;
    return copy;
  }

  append(i, piece, close) {
    if (!growsByText(this.parts[i] ?? {})) {
      this.stream(i, piece, close);
      return;
    }
    const part = this.touch(i);
    part.text += piece;
    if (!isText(part)) return;
    if (i === this.lastText) this.text += piece;
    else this.mustRebuild = true;
  }

  stream(i, piece, close) {
    const old = this.parts[i];
    if (!old) return;
    if (!this.before.has(i)) this.before.set(i, old);
    const { base, rawInput, growing } = streaming.get(old) ?? { base: old, rawInput: '' };
    const all = rawInput + piece;
    const next = close && (growing?.add(rawInput.length, piece) ? growing : createGrowingJson(all));
    this.parts[i] = streamingPart(base, all, close, next);
  }

  // A block is a text part; its seq counts those (B-TB-3).
  finishBlocks() {
    if (this.mustRebuild) {
      this.blocks = this.parts.filter(isText);
      this.text = this.blocks.map(({ text }) => text).join('');
      return;
    }
    let copied = false;
    for (const i of this.before.keys()) {
      const part = this.parts[i];
      if (!isText(part)) continue;
      if (!copied) this.blocks = [...this.blocks];
      copied = true;
      this.blocks[part.seq] = part;
    }
  }

  finish() {
    this.finishBlocks();
    for (const i of this.before.keys()) Object.freeze(this.parts[i]);
    return { text: this.text, parts: Object.freeze(this.parts), blocks: Object.freeze(this.blocks) };
  }
}

const applyParts = (view, cut, changes, take) => {
  const draft = new Draft(view, cut);
  for (const { i, part, set, add, close, state } of changes) {
    if (part) draft.put(i, part);
    if (set) Object.assign(draft.touch(i) ?? {}, set);
    if (add) draft.append(i, take(add), close);
    if (state) {
      const touched = draft.touch(i);
      if (touched) touched.state = state;
    }
  }
  return draft.finish();
};

// More words of the last text, which is what most deltas say: the same as a draft gives, in a third of the time.
const appendWords = ({ text, parts: old, blocks: before, usage, metadata }, { i, add }, take) => {
  const piece = take(add);
  const parts = [...old];
  const blocks = [...before];
  parts[i] = blocks[blocks.length - 1] = Object.freeze({ ...old[i], text: old[i].text + piece });
  return Object.freeze({ text: text + piece, parts: Object.freeze(parts), blocks: Object.freeze(blocks), usage, metadata });
};

const isMoreWords = ({ parts, blocks }, { reset, cut, parts: changes, usage, metadata }) => {
  if (changes?.length !== 1 || reset || cut !== undefined || usage !== undefined || metadata !== undefined) return false;
  const [{ i, part, set, add, state }] = changes;
  return add > 0 && !part && !set && !state && parts[i] !== undefined && parts[i] === blocks.at(-1);
};

/**
 * The transcript after one run's delta; the same object when the delta says nothing about it. `take(n)`: the next n units
 * of text.
 */
export const applyDelta = (view, delta, take) => {
  if (isMoreWords(view, delta)) return appendWords(view, delta.parts[0], take);
  const { reset, cut, parts, usage, metadata } = delta;
  const hasParts = parts || cut !== undefined;
  if (!reset && !hasParts && usage === undefined && metadata === undefined) return view;
  const base = reset ? EMPTY : view;
  return Object.freeze({
    ...base,
    ...(hasParts && applyParts(base, cut, parts ?? NOTHING, take)),
    ...(usage !== undefined && { usage }),
    ...(metadata !== undefined && { metadata }),
  });
};

/** The text that a delta claims for itself, when nobody here knows its slot: the next delta's text must still be found. */
export const skipText = (delta, take) => {
  for (const { add } of delta.parts ?? NOTHING) if (add) take(add);
};

/** A flush is one string: a line of JSON, then the appended text of all runs, end to end. */
export const readFlush = (flush) => {
  if (flush === '') return { deltas: NOTHING, take: () => '' };
  let at = flush.indexOf('\n');
  const head = at < 0 ? flush : flush.slice(0, at++);
  const take = (length) => flush.slice(at, (at += length));
  return { deltas: JSON.parse(head), take };
};
