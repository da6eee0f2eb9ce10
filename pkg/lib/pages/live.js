// What is at the newest end and not in any page yet: runs, and messages that are being sent. It is one with an item of the server's
// when they share an exact name, and by nothing else (W4-6).

export class Live {
  #onChange;
  #sources = [];          // { source, leave, entries: as last given, and those that wait for the server to have them }
  #keys = new Map();      // name -> key
  #found = new Set();     // keys of those that have been seen among the server's
  #turns = new Map();     // turn -> its place among all, by when the first of it came

  constructor(onChange) {
    this.#onChange = onChange;
  }

  /**
   * `source`: { get(): entries, subscribe(fn): leave }. An entry: { names: the ids that the server may list it under, turn: shared by a
   * question and its answer, value?, run?, send?, isHeld?, answer?,
   * arrive?(), forget?() }. One that is no longer given is gone, but for one that `isHeld`:
   * that stays until the server has it, or its newest page has been read since. `arrive` is called when the server has it in a page that is held, `forget`
   * when nothing can show it any more. Of a question whose `answer`, by this name, is held, the server has what was asked: it stands further
   * up, whatever it is called there.
   */
  add(source) {
    const from = { source, entries: [], leave: () => {} };
    this.#sources.push(from);
    from.leave = source.subscribe(() => this.#onChange());
    this.#onChange();
  }

  /** What an item of these names is shown by: what it was shown by before it had them all. */
  keyOf(names) {
    for (const name of names) if (this.#keys.has(name)) return this.#keys.get(name);
    return names[0];
  }

  /** The entries, by the row that each is, and those that are none yet, in the order in which they came. */
  sort(find) {
    const byRow = new Map();
    const rest = [];
    for (const entry of this.#entries()) {
      const row = find(entry.names);
      if (row) {
        if (!this.#found.has(entry.key)) entry.arrive?.();
        this.#found.add(entry.key);
        byRow.set(row, { run: entry.run ?? byRow.get(row)?.run, send: entry.send ?? byRow.get(row)?.send });
      } else if (this.#found.has(entry.key)) {
        // The server has it, in a page that is not held.
        entry.forget?.();
      } else if (entry.answer && find([entry.answer])) {
        this.#found.add(entry.key);
        entry.arrive?.();
      } else {
        rest.push(entry);
      }
    }
    return { byRow, rest };
  }

  /** The keys of what is no longer given, and only waits for the server to have it. */
  waiting() {
    return new Set(this.#sources.flatMap((from) => {
      const given = this.#given(from);
      return from.entries.map(({ key }) => key).filter((key) => !given.has(key));
    }));
  }

  /** The newest page has been read: what was `waiting` for it, when it was asked for, waits no longer. */
  resolve(waiting) {
    for (const from of this.#sources) {
      const given = this.#given(from);
      from.entries = from.entries.filter(({ key }) => given.has(key) || !waiting.has(key));
    }
  }

  close() {
    for (const { leave } of this.#sources.splice(0)) leave();
  }

  #given({ source }) {
    return new Set(source.get().map(({ names }) => this.keyOf(names)));
  }

  #entries() {
    const all = [];
    for (const from of this.#sources) {
      const given = from.source.get().filter(({ names }) => names.length > 0).map((entry) => this.#keyed(entry));
      const keys = new Set(given.map(({ key }) => key));
      from.entries = [...from.entries.filter(({ key, isHeld }) => isHeld && !keys.has(key) && !this.#found.has(key)), ...given];
      for (const entry of from.entries) {
        const place = this.#placeOf(entry);
        // Whoever has only followed the answer does not know what it was asked by.
        if (entry.answer) this.#turns.set(this.keyOf([entry.answer]), place);
      }
      all.push(...from.entries);
    }
    return all.sort((a, b) => this.#placeOf(a) - this.#placeOf(b));
  }

  // Turn by turn, whatever the sources; a question stands before its answer.
  #placeOf({ turn, key, send }) {
    const name = turn ?? key;
    if (!this.#turns.has(name)) this.#turns.set(name, this.#turns.size);
    return this.#turns.get(name) + (send ? 0 : 0.5);
  }

  #keyed(entry) {
    const key = this.keyOf(entry.names);
    for (const name of entry.names) this.#keys.set(name, key);
    return { ...entry, key };
  }
}
