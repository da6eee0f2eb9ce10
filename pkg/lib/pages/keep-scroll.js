// Keeps what a reader sees where it is while items come and go above it. The browser's own scroll anchoring does not at the very top,
// and Safari has none, so it is switched off for this element and done here: always, and once.
//
// The anchor is the topmost child in sight. Where it is, is noted when the reader scrolls; what moves it besides is undone before the
// next paint. Positions are read once in a change and never in between writes.
import { dispose } from '../dispose.js';
import { invalid } from '../errors.js';
import { requireNumber } from '../options.js';

const rectOf = (node) => node.getBoundingClientRect();

class Keeper {
  #element;
  #list;
  #pages;
  #anchors = [];            // what is in sight, the topmost first: { node, top }, in px below the element's top
  #scrollTop = 0;
  #height = 0;
  #near;
  #anchoring;
  #leave = () => {};
  #sizes = new ResizeObserver(() => this.#handleChange());
  #children = new MutationObserver((records) => this.#handleChildren(records));

  #handleChildren(records) {
    for (const { addedNodes, removedNodes } of records) {
      for (const node of removedNodes) if (node.nodeType === 1) this.#sizes.unobserve(node);
      for (const node of addedNodes) if (node.nodeType === 1 && node.isConnected) this.#sizes.observe(node);
    }
    this.#handleChange();
  }

  constructor(element, { list, pages, near }) {
    this.#element = element;
    this.#list = list;
    this.#pages = pages;
    this.#near = near;
    this.#anchoring = element.style.overflowAnchor;
    element.style.overflowAnchor = 'none';
    element.addEventListener('scroll', this.#handleScroll, { passive: true });
    this.#children.observe(list, { childList: true });
    for (const child of list.children) this.#sizes.observe(child);
    this.#note();
    // Before anybody shows what has come: where the reader is now, for they may have scrolled in this very frame.
    if (pages) this.#leave = pages.subscribe(() => this.#handleNews(), { notify: 'sync' });
  }

  #handleNews() {
    this.#handleChildren(this.#children.takeRecords());
  }

  #handleScroll = () => {
    // Something may have moved in the same frame, and nobody has said so yet.
    this.#handleChange();
    this.#load();
  };

  #handleChange() {
    const { scrollTop, scrollHeight, clientHeight } = this.#element;
    // Content that has become shorter may have pushed the position up by itself; else a difference is the reader's, whose event has not come yet.
    const isClamped = scrollHeight < this.#height && scrollTop >= scrollHeight - clientHeight - 1;
    const scrolled = isClamped ? 0 : scrollTop - this.#scrollTop;
    const anchor = this.#anchors.find(({ node }) => node.isConnected);
    if (anchor) {
      const moved = rectOf(anchor.node).top - rectOf(this.#element).top - (anchor.top - scrolled);
      if (moved !== 0) this.#element.scrollTop = scrollTop + moved;
      // A position is a whole number of device pixels and heights are not: what is left over must not add up.
      this.#note(anchor, anchor.top - scrolled);
    } else {
      this.#note();
    }
    // What arrives may not fill the element: then there is nothing to scroll, and more is needed.
    this.#loadSoon();
  }

  // `known`: an anchor that is where it should be, at `wanted`.
  #note(known, wanted) {
    this.#scrollTop = this.#element.scrollTop;
    this.#height = this.#element.scrollHeight;
    const { top, bottom } = rectOf(this.#element);
    const { children } = this.#list;
    this.#anchors = [];
    const hold = (node, from) => {
      this.#anchors.push({ node, top: node === known?.node && Math.abs(from - top - wanted) < 1 ? wanted : from - top });
    };
    for (let at = firstBelow(children, top); at < children.length; at += 1) {
      const node = children[at];
      const rect = rectOf(node);
      if (rect.top >= bottom) break;
      hold(node, rect.top);
    }
    // The list is out of sight: what stands behind it is not.
    const other = this.#list.nextElementSibling ?? this.#list.lastElementChild;
    if (this.#anchors.length === 0 && other && this.#list !== this.#element) hold(other, rectOf(other).top);
  }

  #loadSoon() {
    // Not inside of a listener of somebody's, and after those who show it with the next frame.
    if (this.#pages && this.#near > 0) requestAnimationFrame(() => requestAnimationFrame(() => this.#load()));
  }

  #load() {
    if (!this.#pages || this.#near === 0 || !this.#element.isConnected) return;
    const { hasMore, hasNewer, status } = this.#pages.getSnapshot();
    if (status !== 'idle') return;
    const { scrollTop, scrollHeight, clientHeight } = this.#element;
    if (clientHeight === 0) return;
    const near = this.#near * clientHeight;
    const ends = [scrollTop, scrollHeight - clientHeight - scrollTop];
    const [older, newer] = this.#pages.order === 'newest-first' ? ends.reverse() : ends;
    if (hasMore && older < near) void this.#pages.loadOlder();
    else if (hasNewer && newer < near) void this.#pages.loadNewer();
  }

  close() {
    this.#leave();
    this.#pages = undefined;
    this.#sizes.disconnect();
    this.#children.disconnect();
    this.#element.removeEventListener('scroll', this.#handleScroll);
    this.#element.style.overflowAnchor = this.#anchoring;
  }
}

// The first child that ends below `top`: they are one below the other, so by halves.
const firstBelow = (children, top) => {
  let [low, high] = [0, children.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if (rectOf(children[middle]).bottom <= top) low = middle + 1;
    else high = middle;
  }
  return low;
};

/** `near`: an end is near when it is less than so many heights of the element away. */
export const keepScroll = (element, { list = element, pages, near = 1 } = {}) => {
  if (typeof element?.getBoundingClientRect !== 'function') throw invalid('element', element, 'an element that scrolls');
  if (typeof list?.getBoundingClientRect !== 'function') throw invalid('list', list, 'the element whose children are the items');
  if (pages !== undefined && typeof pages?.loadOlder !== 'function') throw invalid('pages', pages, 'what messages() or sessions() gives');
  const keeper = new Keeper(element, { list, pages, near: requireNumber('near', near) });
  const close = () => keeper.close();
  return Object.freeze({ close, [dispose]: close });
};
