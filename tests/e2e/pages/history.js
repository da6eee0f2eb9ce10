// A chat's past in a plain list, by key, as a small framework would keep it; with all that a reader could notice. The tests drive it
// through `window.view`.

import { RunClient, keepScroll } from '/pkg/index.js';

// By the item, not by its place: a row that is made again has the same height.
const heightOf = (id) => 24 + (Number(id.replace(/\D/g, '')) % 7) * 11;

class PastView {
  notes = { most: 0, doubled: 0, jumps: [], changes: 0, errors: [] };
  #rows = new Map();
  #items = null;
  #shown = null;
  #waiting = [];

  constructor(sessionId, { limit, maxItems, notify }) {
    this.client = new RunClient({ baseUrl: '', protocol: 'ws-chat', retry: { baseMs: 5, capMs: 20 } });
    this.pages = this.client.messages(sessionId, { limit, maxItems });
    this.scroller = document.createElement('div');
    this.scroller.style.cssText = 'height: 400px; width: 300px; overflow-y: auto; font: 12px monospace';
    document.body.replaceChildren(this.scroller);
    this.pages.subscribe((snapshot) => this.show(snapshot), { notify });
  }

  /** What is in sight is looked at before and after. */
  show({ items, error }) {
    if (error) this.notes.errors.push(error.code);
    if (items === this.#items) return;
    this.#items = items;
    const anchor = this.topmost();
    const before = anchor?.getBoundingClientRect().top;
    const keys = new Set();
    let next = this.scroller.firstChild;
    for (const { key, id } of items) {
      if (keys.has(key)) this.notes.doubled += 1;
      keys.add(key);
      let row = this.#rows.get(key);
      if (!row) {
        row = document.createElement('div');
        row.style.height = `${heightOf(id)}px`;
        // Its text is not what is looked at, and would be most of the time.
        row.dataset.key = key;
        this.#rows.set(key, row);
      }
      if (row === next) next = next.nextSibling;
      else this.scroller.insertBefore(row, next);
    }
    for (const [key, row] of this.#rows) {
      if (keys.has(key)) continue;
      row.remove();
      this.#rows.delete(key);
    }
    this.notes.most = Math.max(this.notes.most, items.length);
    // Behind this frame: whatever keeps the position has had its chance, and the reader sees what is there now.
    setTimeout(() => {
      if (anchor?.isConnected && this.keeper) {
        this.notes.changes += 1;
        const moved = anchor.getBoundingClientRect().top - before;
        if (moved !== 0) this.notes.jumps.push({ key: anchor.dataset.key, moved });
      }
      this.#shown = items;
      for (const resolve of this.#waiting.splice(0)) resolve();
    });
  }

  topmost() {
    const { top } = this.scroller.getBoundingClientRect();
    return [...this.scroller.children].find((row) => row.getBoundingClientRect().bottom > top) ?? null;
  }

  /** From here on positions are kept; `near`: and so near to an end, more is loaded. */
  keep(near = 0) {
    this.keeper?.close();
    this.keeper = keepScroll(this.scroller, { pages: this.pages, near });
  }

  /** What is held is on the screen, and has been looked at. */
  async untilShown() {
    while (this.#shown !== this.pages.getSnapshot().items || this.pages.getSnapshot().items.length === 0) {
      await new Promise((resolve) => this.#waiting.push(resolve));
    }
  }

  /** One end after the other, page by page, until there is no more. */
  async travel(direction) {
    const [call, has] = direction === 'older' ? ['loadOlder', 'hasMore'] : ['loadNewer', 'hasNewer'];
    for (let n = 0; this.pages[has]; n += 1) {
      // Anywhere but at rest: at the very top, in the middle of a row, at the end.
      const { scrollHeight, clientHeight } = this.scroller;
      const most = scrollHeight - clientHeight;
      const from = direction === 'older' ? [0, 3, 17, most / 3][n % 4] : [most, most - 5, most - 31, (2 * most) / 3][n % 4];
      this.scroller.scrollTop = Math.round(from);
      await this.pages[call]();
      await this.untilShown();
    }
  }

  get rows() {
    return [...this.scroller.children].map(({ dataset }) => dataset.key);
  }
}

window.PastView = PastView;
