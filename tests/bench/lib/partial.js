// What has come of a JSON text so far, as an expert writes it by hand: each piece is scanned once, and only who asks parses.

const isPlain = (code) => code !== 0x22 && code !== 0x5c;
const CLOSER = { '{': '}', '[': ']' };

export class PartialJson {
  raw = '';
  #closers = [];       // of the open objects and arrays, the innermost last
  #isString = false;
  #isKey = false;
  #isEscaped = false;
  #unicode = 0;        // hex digits that an escape still lacks
  #isKeyNext = false;
  // What comes after `cut` is no whole value yet: the text up to it, closed by `tail`, is valid JSON.
  #cut = 0;
  #tail = '';

  push(piece) {
    const base = this.raw.length;
    this.raw += piece;
    for (let i = 0; i < piece.length; i++) {
      if (this.#isString) i = this.#scanString(piece, i, base);
      else this.#scanToken(piece[i], base + i);
    }
    if (this.#isString && !this.#isKey && !this.#isEscaped && this.#unicode === 0) this.#keep(this.raw.length, '"');
  }

  /** `undefined` before the first value has begun. */
  read() {
    return this.#cut === 0 ? undefined : JSON.parse(this.raw.slice(0, this.#cut) + this.#tail);
  }

  #keep(end, open = '') {
    this.#cut = end;
    this.#tail = open + this.#closers.toReversed().join('');
  }

  #scanString(piece, start, base) {
    let i = start;
    for (; i < piece.length; i++) {
      const code = piece.charCodeAt(i);
      if (this.#unicode > 0) {
        this.#unicode -= 1;
      } else if (this.#isEscaped) {
        this.#isEscaped = false;
        if (code === 0x75) this.#unicode = 4;
      } else if (isPlain(code)) {
        continue;
      } else if (code === 0x5c) {
        if (!this.#isKey) this.#keep(base + i, '"');
        this.#isEscaped = true;
      } else {
        this.#isString = false;
        if (!this.#isKey) this.#keep(base + i + 1);
        return i;
      }
    }
    return i;
  }

  #scanToken(unit, at) {
    switch (unit) {
      case '"':
        this.#isString = true;
        this.#isKey = this.#isKeyNext;
        this.#isKeyNext = false;
        return;
      case '{':
      case '[':
        this.#closers.push(CLOSER[unit]);
        this.#isKeyNext = unit === '{';
        this.#keep(at + 1);
        return;
      case '}':
      case ']':
        this.#closers.pop();
        this.#isKeyNext = false;
        this.#keep(at + 1);
        return;
      case ',':
        // A number is whole only now.
        this.#keep(at);
        this.#isKeyNext = this.#closers.at(-1) === '}';
    }
  }
}
