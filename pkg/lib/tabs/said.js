// What a connection has said, as far as somebody who joins in has to be told: all of it, while it is not too much, and what follows
// the last whole event.

const [LF, CR] = [10, 13];

const isLineEnd = (byte) => byte === LF || byte === CR;

/** Where the last blank line of `bytes` ends; 0 if there is none. `before`: the two bytes in front of them. */
const endOfLastEvent = (bytes, before) => {
  const at = (i) => (i >= 0 ? bytes[i] : before[2 + i]);
  for (let i = bytes.length - 1; i >= 0; i -= 1) {
    if (!isLineEnd(bytes[i])) continue;
    // CR LF is one line end; a CR in last place may be the first half of one.
    const isHalf = bytes[i] === CR && i === bytes.length - 1;
    const start = bytes[i] === LF && at(i - 1) === CR ? i - 1 : i;
    if (!isHalf && isLineEnd(at(start - 1))) return i + 1;
  }
  return 0;
};

export const join = (pieces) => {
  const all = new Uint8Array(pieces.reduce((length, piece) => length + piece.length, 0));
  let at = 0;
  for (const piece of pieces) {
    all.set(piece, at);
    at += piece.length;
  }
  return all;
};

export class Said {
  #room;                      // for so many bytes of all
  #all = [];
  #tail = [];
  #before = [0, 0];

  /** `limit`: all of it is kept until it is so many bytes. */
  constructor(limit) {
    this.#room = limit;
  }

  add(bytes) {
    if (bytes.length === 0) return;
    const end = endOfLastEvent(bytes, this.#before);
    if (end > 0) this.#tail = [];
    if (end < bytes.length) this.#tail.push(bytes.slice(end));
    this.#before = bytes.length > 1 ? [bytes.at(-2), bytes.at(-1)] : [this.#before[1], bytes[0]];
    this.#room -= bytes.length;
    if (this.#room < 0) this.#all = [];
    else this.#all.push(bytes);
  }

  /** What follows the last whole event. */
  get tail() {
    return join(this.#tail);
  }

  /** Everything, or `null` where it is not there any more. */
  get all() {
    return this.#room < 0 ? null : join(this.#all);
  }
}
