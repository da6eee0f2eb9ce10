// Applies what a flush brought to what is held. One rule: what did not change stays the same object, so that a memoised
// component of a finished block never renders again; and the cost is that of the change, not of the message.

const NOTHING = Object.freeze([]);

/** A transcript before its first event. */
export const EMPTY = Object.freeze({ text: '', parts: NOTHING, blocks: NOTHING, usage: null, metadata: null });

const isText = (part) => part.type === 'text';
const growsByText = (part) => isText(part) || part.type === 'reasoning';

// Parts and blocks of one delta, copied once, and each touched part once.
class Draft {
  constructor({ text, parts, blocks }) {
    this.text = text;
    this.parts = [...parts];         // not slice(): V8 copies a frozen array 300 times slower with it
    this.blocks = blocks;
    this.before = new Map();      // index of a touched part -> the part as it was (undefined: new)
    this.mustRebuild = false;     // a change that is not an append at the end
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

  append(i, piece) {
    const part = this.touch(i);
    if (!part) return;
    part.text += piece;
    if (!isText(part)) return;
    if (i === this.lastText) this.text += piece;
    else this.mustRebuild = true;
  }

  // A block is a text part with something in it; its seq counts those (B-TB-3), so it is set here and nowhere else.
  finishBlocks() {
    if (this.mustRebuild) {
      this.blocks = [];
      this.text = '';
      this.parts.forEach((part, i) => {
        if (!isText(part) || part.text === '') return;
        if (part.seq !== this.blocks.length) this.touch(i).seq = this.blocks.length;
        this.blocks.push(this.parts[i]);
        this.text += part.text;
      });
      return;
    }
    let copied = false;
    for (const [i, old] of this.before) {
      const part = this.parts[i];
      if (!isText(part) || part.text === '') continue;
      if (!copied) this.blocks = [...this.blocks];
      copied = true;
      if (old === undefined || old.text === '') part.seq = this.blocks.length;
      this.blocks[part.seq] = part;
    }
  }

  finish() {
    this.finishBlocks();
    for (const i of this.before.keys()) Object.freeze(this.parts[i]);
    return { text: this.text, parts: Object.freeze(this.parts), blocks: Object.freeze(this.blocks) };
  }
}

const applyParts = (view, changes, take) => {
  const draft = new Draft(view);
  for (const { i, part, add, state } of changes) {
    if (part) draft.put(i, part);
    if (add) draft.append(i, take(add));
    if (state) {
      const touched = draft.touch(i);
      if (touched) touched.state = state;
    }
  }
  return draft.finish();
};

/**
 * The transcript after one run's delta; the same object when the delta says nothing about it. `take(n)`: the next n units
 * of text.
 */
export const applyDelta = (view, delta, take) => {
  const { reset, parts, usage, metadata } = delta;
  if (!reset && !parts && usage === undefined && metadata === undefined) return view;
  const base = reset ? EMPTY : view;
  return Object.freeze({
    ...base,
    ...(parts && applyParts(base, parts, take)),
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
