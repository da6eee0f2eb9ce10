// One of the library's long lists on the screen: a row for each item, the same element while the item is the same, and the reader's place
// kept by the library while others come.
import { keepScroll } from '/pkg/index.js';

export class Rows {
  #scroller;
  #list;
  #onChange;
  #pages = null;
  #leave = () => {};
  #keeper = null;
  #shown = new Map();       // key -> { item, row }

  /** `list`: of nothing but these rows; `scroller`: what scrolls it; `onChange(snapshot)` calls `show`. */
  constructor(scroller, list, onChange) {
    this.#scroller = scroller;
    this.#list = list;
    this.#onChange = onChange;
  }

  /** `pages`: what the rows are of from now on, or null. False if they were already. */
  follow(pages) {
    if (pages === this.#pages) return false;
    this.#leave();
    this.#leave = () => {};
    this.#keeper?.close();
    this.#keeper = null;
    this.#pages = pages;
    this.#shown.clear();
    this.#list.replaceChildren();
    if (!pages) return true;
    this.#keeper = keepScroll(this.#scroller, { list: this.#list, pages });
    this.#leave = pages.subscribe(this.#onChange);
    return true;
  }

  /** These, in their order; what is there and did not change is not touched. */
  show(items, makeRow) {
    const keys = new Set(items.map(({ key }) => key));
    for (const [key, { row }] of this.#shown) {
      if (keys.has(key)) continue;
      row.remove();
      this.#shown.delete(key);
    }
    let next = this.#list.firstElementChild;
    for (const item of items) {
      let shown = this.#shown.get(item.key);
      if (shown?.item !== item) {
        const row = makeRow(item);
        row.dataset.key = item.key;
        shown?.row.replaceWith(row);
        if (shown?.row === next) next = row;
        shown = { item, row };
        this.#shown.set(item.key, shown);
      }
      if (shown.row === next) next = next.nextElementSibling;
      else this.#list.insertBefore(shown.row, next);
    }
  }
}
