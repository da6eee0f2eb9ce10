// Markdown that arrives bit by bit. Finished blocks are built once and never touched again; only the block at the end is
// brought up to date, and in it only the rows or words that are new. What might still become something else (a lone `#`, the
// first row of a table, an unclosed fence) is shown as what it will most likely be, so that nothing jumps under the reader.
import { copyButton, growText, h } from './dom.js';
import { renderInline } from './inline-markdown.js';

const FENCE = /^ {0,3}(`{3,}|~{3,})\s*([^`]*)$/;
const HEADING = /^ {0,3}(#{1,6})\s+(.*?)\s*#*\s*$/;
const RULE = /^ {0,3}([-*_])(?:\s*\1){2,}\s*$/;
const ITEM = /^(\s*)([-*+]|\d{1,9}[.)])\s+(.*)$/;
const QUOTE = /^ {0,3}> ?(.*)$/;
const DELIMITER = /^\s*\|?\s*:?-+:?\s*(\|\s*:?-+:?\s*)*\|?\s*$/;
const DELIMITER_SO_FAR = /^[\s|:-]*$/;
const UNDECIDED = /^\s*(#{1,6}|[-*+_]{1,3}|\d{1,9}[.)]?|`{1,3}|~{1,3}|>|\|)?\s*$/;

const isRow = (line) => line.trimStart().startsWith('|');
const isBlank = (line) => line.trim() === '';
const startsBlock = (line) => isRow(line) || [FENCE, HEADING, RULE, ITEM, QUOTE].some((start) => start.test(line));

const cells = (row) => {
  const inner = row.trim().replace(/^\|/, '').replace(/\|$/, '');
  return inner.split(/(?<!\\)\|/).map((cell) => cell.trim().replaceAll('\\|', '|'));
};
const alignment = (cell) => (/^:-+:$/.test(cell) ? 'center' : /-:$/.test(cell) ? 'end' : null);

/** Keeps `parent`'s children as many as `list`, each brought up to date. */
const sync = (parent, list, make, update) => {
  let child = parent.firstElementChild;
  list.forEach((item, i) => {
    child ??= parent.appendChild(make(item));
    update(child, item, i);
    child = child.nextElementSibling;
  });
  while (parent.childElementCount > list.length) parent.lastElementChild.remove();
};

// Each kind of block: how its element is made, and how it takes what was read of it so far.
const VIEWS = {
  paragraph: {
    make: () => h('p'),
    update: (element, { text }, open) => renderInline(element, text, open),
  },
  heading: {
    // The page's own headings come first.
    make: ({ level }) => h(`h${Math.min(level + 2, 6)}`),
    update: (element, { text }, open) => renderInline(element, text, open),
  },
  rule: { make: () => h('hr'), update: () => {} },
  quote: {
    make: () => h('blockquote', {}, h('p')),
    update: (element, { text }, open) => renderInline(element.firstChild, text, open),
  },
  code: {
    make: ({ language }) => {
      const code = h('code', {}, '');
      code.append(document.createTextNode(''));
      const bar = h('div', { class: 'code-bar' }, h('span', {}, language || 'text'), copyButton(() => code.textContent));
      return h('figure', { class: 'code' }, bar, h('pre', { tabindex: '0', role: 'group', 'aria-label': 'Code' }, code));
    },
    update: (element, { text }) => growText(element.querySelector('code').lastChild, text),
  },
  list: {
    make: ({ ordered, start }) => (ordered ? h('ol', { start: start === 1 ? null : start }) : h('ul')),
    update: (element, { items }, open) => sync(
      element,
      items,
      ({ depth }) => h('li', { class: depth > 0 ? `depth-${Math.min(depth, 4)}` : null }),
      (li, { text }, i) => renderInline(li, text, open && i === items.length - 1),
    ),
  },
  table: {
    make: () => h('div', { class: 'table', tabindex: '0', role: 'group', 'aria-label': 'Table' },
      h('table', {}, h('thead', {}, h('tr')), h('tbody'))),
    update: (element, { head, align, rows }, open) => {
      const [thead, tbody] = element.firstChild.children;
      const fill = (row, texts, tag, last) => sync(row, texts, () => h(tag), (cell, text, i) => {
        if (align[i] && cell.style.textAlign !== align[i]) cell.style.textAlign = align[i];
        renderInline(cell, text, last && i === texts.length - 1);
      });
      fill(thead.firstChild, head, 'th', open && rows.length === 0);
      sync(tbody, rows, () => h('tr'), (row, texts, i) => fill(row, texts, 'td', open && i === rows.length - 1));
    },
  },
};

/** Reads the block that starts at `from` (not a blank line). `done`: no more text will come. */
const readBlock = (text, from, done) => {
  let at = from;
  // The line at `at`, or null at the end. A last line without its end may still grow.
  const peek = () => {
    if (at >= text.length) return null;
    const end = text.indexOf('\n', at);
    const isWhole = end >= 0 || done;
    return { line: text.slice(at, end < 0 ? text.length : end), next: end < 0 ? text.length : end + 1, isWhole };
  };
  const isPending = ({ line, isWhole }) => !isWhole && UNDECIDED.test(line);
  // What follows proves that the block is over.
  const closed = (kind, data) => ({ kind, data, end: at, isClosed: done || (peek() !== null && !isPending(peek())) });

  const first = peek();
  if (isPending(first)) return null;
  at = first.next;

  const fence = FENCE.exec(first.line);
  if (fence) {
    const [, mark, info] = fence;
    if (!first.isWhole) return null;
    const language = info.trim().split(/\s/)[0];
    const body = at;
    for (let next = peek(); next; next = peek()) {
      const isEnd = next.line.trim().startsWith(mark) && next.line.trim().replaceAll(mark[0], '') === '';
      const mayBeEnd = !next.isWhole && next.line.trim() !== '' && mark.startsWith(next.line.trim());
      if (isEnd || mayBeEnd) {
        const data = { language, text: text.slice(body, Math.max(body, at - 1)) };
        const isClosed = isEnd && next.isWhole;
        if (isClosed) at = next.next;
        return { kind: 'code', data, end: at, isClosed };
      }
      at = next.next;
    }
    return { kind: 'code', data: { language, text: text.slice(body, at).replace(/\n$/, '') }, end: at, isClosed: done };
  }

  const heading = HEADING.exec(first.line);
  if (heading) return { kind: 'heading', data: { level: heading[1].length, text: heading[2] }, end: at, isClosed: first.isWhole };

  if (first.isWhole && RULE.test(first.line)) return { kind: 'rule', data: {}, end: at, isClosed: true };

  if (isRow(first.line)) {
    // The columns are known once the row is whole; a table that grew in width would push them about.
    if (!first.isWhole) return null;
    const second = peek();
    const isTable = second === null || (second.isWhole ? DELIMITER.test(second.line) : DELIMITER_SO_FAR.test(second.line));
    if (isTable) {
      if (second) at = second.next;
      const head = cells(first.line);
      const align = second ? cells(second.line).map(alignment) : [];
      const rows = [];
      for (let next = peek(); next && isRow(next.line); next = peek()) {
        // A row's cells come one after the other; those still to come are there, empty, so that the table keeps its shape.
        const row = cells(next.line);
        rows.push(head.map((_, i) => row[i] ?? ''));
        at = next.next;
      }
      return closed('table', { head, align, rows });
    }
  }

  if (QUOTE.test(first.line)) {
    const lines = [QUOTE.exec(first.line)[1]];
    for (let next = peek(); next && QUOTE.test(next.line); next = peek()) {
      lines.push(QUOTE.exec(next.line)[1]);
      at = next.next;
    }
    return closed('quote', { text: lines.join('\n').trim() });
  }

  const item = ITEM.exec(first.line);
  if (item) {
    const isOrdered = ([, , mark]) => /\d/.test(mark);
    const ordered = isOrdered(item);
    const base = item[1].length;
    const toItem = ([, indent, , words]) => ({ depth: Math.max(0, Math.floor((indent.length - base) / 2)), text: words });
    const items = [toItem(item)];
    for (let next = peek(); next; next = peek()) {
      const another = ITEM.exec(next.line);
      if (another && (isOrdered(another) === ordered || another[1].length > base)) items.push(toItem(another));
      else if (!isBlank(next.line) && /^\s{2,}/.test(next.line)) items.at(-1).text += `\n${next.line.trim()}`;
      else if (isBlank(next.line) && next.isWhole) {
        // One blank line may stand between two items.
        const [, after] = /^\n*([^\n]*)/.exec(text.slice(next.next)) ?? [];
        if (!after || !ITEM.test(after)) break;
      } else break;
      at = next.next;
    }
    const list = closed('list', { ordered, start: Number.parseInt(item[2], 10), items });
    // After a blank line another item may still come.
    const [, after] = /^\s*\n(.*)/.exec(text.slice(at)) ?? [null, null];
    return !done && after !== null && UNDECIDED.test(after) ? { ...list, isClosed: false } : list;
  }

  const lines = [first.line];
  for (let next = peek(); next && !isBlank(next.line) && !startsBlock(next.line) && !isPending(next); next = peek()) {
    lines.push(next.line);
    at = next.next;
  }
  return closed('paragraph', { text: lines.join('\n').trimEnd() });
};

export class Markdown {
  #root;
  #text = '';
  #isDone = false;
  #finished = 0;        // up to here the text is built for good
  #tail = null;         // { kind, element } of the block at the end

  constructor(root) {
    this.#root = root;
  }

  /** Shows `text`. `done`: it is whole. A text that does not continue the earlier one starts anew. */
  write(text, done) {
    if (text === this.#text && done === this.#isDone) return;
    if (!text.startsWith(this.#text) || this.#isDone) this.#clear();
    this.#text = text;
    this.#isDone = done;
    for (;;) {
      this.#skipBlankLines();
      if (this.#finished >= text.length) break;
      const block = readBlock(text, this.#finished, done);
      if (block === null) break;
      this.#put(block);
      if (!block.isClosed) return;
      this.#tail = null;
      this.#finished = block.end;
    }
    // What was shown of a block that turned out to be nothing yet.
    if (this.#finished >= text.length && this.#tail) this.#drop();
  }

  #skipBlankLines() {
    const gap = /(?:[^\S\n]*\n)*/y;
    gap.lastIndex = this.#finished;
    gap.exec(this.#text);
    this.#finished = gap.lastIndex;
    if (this.#isDone && isBlank(this.#text.slice(this.#finished))) this.#finished = this.#text.length;
  }

  #put({ kind, data, isClosed }) {
    const view = VIEWS[kind];
    // A heading's level, a list's kind and a fence's language are known before the first of their words.
    const shape = `${kind} ${data.level ?? ''} ${data.ordered ?? ''} ${data.language ?? ''}`;
    if (this.#tail?.shape !== shape) {
      this.#drop();
      this.#tail = { shape, element: this.#root.appendChild(view.make(data)) };
    }
    view.update(this.#tail.element, data, !isClosed);
  }

  #drop() {
    this.#tail?.element.remove();
    this.#tail = null;
  }

  #clear() {
    this.#root.replaceChildren();
    this.#tail = null;
    this.#finished = 0;
  }
}
