// What is held of a list that is too long to hold: one stretch of it, without a gap, in pages, oldest first. Without a DOM, a clock
// or a promise; not in the engine, because what is merged here are the page's own objects, which would cross into wasm and back.
//
// An item is known by any of its names (its id, what it was called while it was made), and keeps the key that it came with. What
// came again and says the same is the same object.
import { isSame } from './same.js';

class Row {
  isNew = true;

  constructor(key, value) {
    this.key = key;
    this.names = new Set([key]);
    this.value = value;
  }
}

export class Stretch {
  #namesOf;
  #keyOf;
  #maxItems;
  #pages = [];            // { rows, before: the cursor that gave it, next: the one of what is older }
  #newer = [];            // of the pages given up at the newer end, the nearest last: { before, count }
  #rows = new Map();      // by each of their names

  isLoaded = false;

  /** `namesOf(value)`: every name of an item, the one that it has from its beginning first. `keyOf(names)`: what it is shown by. */
  constructor(namesOf, maxItems, keyOf = ([first]) => first) {
    this.#namesOf = namesOf;
    this.#keyOf = keyOf;
    this.#maxItems = maxItems;
  }

  get size() {
    return this.#pages.reduce((sum, { rows }) => sum + rows.length, 0);
  }

  /** The cursor of what is older than all of it; `null` where nothing is, `undefined` before the first page. */
  get next() {
    return this.#pages[0]?.next;
  }

  /** The cursor that its newest page was asked for with. */
  get before() {
    return this.#pages.at(-1)?.before;
  }

  /** What the page next to it was asked for with, before it was given up; `undefined` where nothing newer is known of. */
  get nearest() {
    return this.#newer.at(-1)?.before;
  }

  /** How many items have been given up at the newer end. */
  get skipped() {
    return this.#newer.reduce((sum, { count }) => sum + count, 0);
  }

  get hasNewer() {
    return this.#newer.length > 0;
  }

  /** Oldest first. */
  list() {
    return this.#pages.flatMap(({ rows }) => rows);
  }

  find(names) {
    for (const name of names) if (this.#rows.has(name)) return this.#rows.get(name);
    return undefined;
  }

  /** The row of a value, if it is held. */
  rowOf(value) {
    return this.find(this.#namesOf(value));
  }

  /** More values than that are more than it may hold. */
  isTooMuch(count) {
    return count > this.#maxItems;
  }

  /** A page of what is older, `values` oldest first; gives how many of them were not known. */
  addOlder({ values, next, before }) {
    this.isLoaded = true;
    const fresh = [];
    const seen = new Set();
    for (const value of values) {
      const row = this.#take(value);
      if (row.isNew && !seen.has(row)) fresh.push(row);
      seen.add(row);
    }
    for (const row of fresh) row.isNew = false;
    if (fresh.length > 0 || this.#pages.length === 0) this.#pages.unshift({ rows: fresh, before, next });
    else this.#pages[0].next = next;
    // Whoever asks for older ones looks at the oldest.
    while (this.#isOver()) {
      const { rows, before: cursor } = this.#pages.pop();
      this.#newer.push({ before: cursor, count: rows.length });
      this.#forget(rows);
    }
    return fresh.length;
  }

  /**
   * Pages of what is newer, or again of the newest, the newest first and without a gap down to what is held. `deletes`: what is held
   * in their range and not in them is gone. Gives how many were not known.
   */
  addNewer(pages, deletes = false) {
    const values = pages.flatMap(({ values: all }) => all);
    const named = new Set(values.map((value) => this.rowOf(value)));
    const held = this.list();
    const first = deletes ? held.findIndex((row) => named.has(row)) : -1;
    const leaving = new Set(first < 0 ? named : [...named, ...held.slice(first)]);
    for (const page of this.#pages) page.rows = page.rows.filter((row) => !leaving.has(row));
    const oldest = pages.at(-1);
    const rest = this.#pages.filter(({ rows }) => rows.length > 0);
    if (rest.length > 0) rest.at(-1).before = oldest.next;
    const seen = new Set();
    const added = [];
    let fresh = 0;
    for (const { values: all, ...page } of pages) {
      const rows = [];
      for (const value of all) {
        const row = this.#take(value);
        fresh += row.isNew;
        row.isNew = false;
        if (!seen.has(row)) rows.push(row);
        seen.add(row);
      }
      added.unshift({ rows, ...page });
    }
    this.#forget(held.filter((row) => leaving.has(row) && !seen.has(row)));
    this.#pages = join([...rest, ...added], Math.max(...pages.map(({ values: all }) => all.length)));
    this.isLoaded = true;
    // Whoever asks for newer ones looks at the newest.
    while (this.#isOver()) this.#forget(this.#pages.shift().rows);
    return fresh;
  }

  /** All that was held is given up for these pages, the newest first; `isNewest`: nothing is newer than they. */
  replace(pages, isNewest) {
    const held = this.list();
    this.#pages = [];
    if (isNewest) this.#newer = [];
    this.addNewer(pages);
    const kept = new Set(this.list());
    this.#forget(held.filter((row) => !kept.has(row)));
  }

  /** The page next to it is there again. */
  popNewer() {
    this.#newer.pop();
  }

  /** So many items are newer, as the server counts them now. */
  setSkipped(count) {
    const off = count - this.skipped;
    if (count <= 0) this.#newer = [];
    else if (this.#newer.length === 0) this.#newer.push({ before: null, count });
    // Nearest first, and none below zero.
    else for (let left = off, n = this.#newer.length - 1; left !== 0 && n >= 0; n -= 1) {
      const page = this.#newer[n];
      const change = Math.max(left, -page.count);
      page.count += change;
      left -= change;
    }
  }

  /** One item is the newest of all now; it may be one that is not held. */
  raise(value, names = this.#namesOf(value)) {
    const known = this.find(names);
    for (const page of this.#pages) page.rows = page.rows.filter((row) => row !== known);
    if (this.hasNewer) {
      // Its place is beyond what is held.
      if (known) this.#forget([known]);
      this.#newer[0].count += 1;
      return;
    }
    const row = known ?? this.#take(value);
    row.isNew = false;
    if (this.#pages.length === 0) this.#pages.push({ rows: [], before: null, next: null });
    this.#pages.at(-1).rows.push(row);
  }

  // The row of a value: the one that is known, with what the value says now.
  #take(value) {
    const names = this.#namesOf(value);
    let row = this.find(names);
    if (row) {
      if (!isSame(row.value, value)) row.value = value;
      // Two rows turn out to be one: it has been made under one name and stored under another.
      for (const name of names) {
        const other = this.#rows.get(name);
        if (other && other !== row) this.#absorb(row, other);
      }
    } else {
      row = new Row(this.#keyOf(names), value);
    }
    for (const name of names) row.names.add(name);
    for (const name of row.names) this.#rows.set(name, row);
    return row;
  }

  #absorb(row, other) {
    for (const name of other.names) row.names.add(name);
    for (const page of this.#pages) page.rows = page.rows.filter((held) => held !== other);
  }

  #forget(rows) {
    for (const row of rows) for (const name of row.names) if (this.#rows.get(name) === row) this.#rows.delete(name);
  }

  // A page is the least that can be given up, and one always stays.
  #isOver() {
    return this.#pages.length > 1 && this.isTooMuch(this.size);
  }
}

// Two pages that fit into one are one: refreshing for a day must not leave pages of one item each.
const join = (pages, most) => {
  const joined = [];
  for (const page of pages) {
    const last = joined.at(-1);
    if (last && last.rows.length + page.rows.length <= most) {
      last.rows.push(...page.rows);
      last.before = page.before;
    } else {
      joined.push(page);
    }
  }
  return joined;
};
