// A server's list that grows, shrinks and is paged through in either style, and replies that fail.

export class FakeList {
  items = [];               // oldest first
  failures = 0;
  asks = [];
  #count = 0;

  constructor(size) {
    this.grow(size);
  }

  grow(count = 1) {
    for (let n = 0; n < count; n += 1) this.items.push({ id: `m${this.#count += 1}`, text: 'first', tags: [this.#count % 3] });
  }

  /** One of them says something else; the others come as equal copies. */
  edit(at) {
    this.items[at] = { ...this.items[at], text: `${this.items[at].text}!` };
  }

  remove(at) {
    this.items.splice(at, 1);
  }

  /** One becomes the newest. */
  raise(at) {
    this.items.push(...this.items.splice(at, 1));
  }

  cursors = async ({ before, limit }) => {
    this.#ask({ before });
    const end = before === null ? this.items.length : this.items.findIndex(({ id }) => id === before);
    if (end < 0) throw new Error(`no such message: ${before}`);
    const items = this.items.slice(Math.max(0, end - limit), end);
    return { items: structuredClone(items), next: end > limit ? items[0].id : null };
  };

  /** The newest first. */
  offsets = async ({ offset, limit }) => {
    this.#ask({ offset });
    const items = this.items.toReversed();
    return { items: structuredClone(items.slice(offset, offset + limit)), hasMore: items.length > offset + limit };
  };

  #ask(what) {
    this.asks.push(what);
    if (this.failures === 0) return;
    this.failures -= 1;
    throw new Error('not now');
  }
}
