// What happened to the connection of the run on the screen, newest last. Closed, it costs nothing; open, a row for each thing
// that happened, and nothing for the text that flows.
import { copyButton, h, setText } from './dom.js';
import { transportName } from './ladders.js';
import { moodOf, textOf, wordsOf } from './trace-words.js';

const clock = new Intl.DateTimeFormat('en-GB', { minute: '2-digit', second: '2-digit', fractionalSecondDigits: 3 });
const NEAR = 24;

export class TracePanel {
  #panel;
  #button;
  #count;
  #rows;
  #empty;
  #copy = copyButton(() => this.#text());
  #turn = null;
  #sessionId = '';
  #shown = null;
  #isStale = true;
  // By entry: one that comes again with another count is another entry.
  #made = new Map();

  constructor(panel, button) {
    this.#panel = panel;
    this.#button = button;
    this.#count = button.querySelector('[data-part=count]');
    this.#rows = panel.querySelector('tbody');
    this.#empty = panel.querySelector('[data-part=empty]');
    this.#copy.hidden = true;
    this.#copy.dataset.testid = 'trace-copy';
    button.after(this.#copy);
    button.addEventListener('click', () => this.#toggle(panel.hidden));
  }

  /** `turn` or null: what is on the screen. */
  show(turn, sessionId) {
    if (turn === this.#turn && turn?.trace === this.#shown) return;
    this.#turn = turn;
    this.#sessionId = sessionId;
    this.#shown = turn?.trace ?? null;
    this.#isStale = true;
    const length = this.#shown?.length ?? 0;
    setText(this.#count, length > 0 ? String(length) : '');
    this.#draw();
  }

  #toggle(isOpen) {
    this.#panel.hidden = !isOpen;
    this.#copy.hidden = !isOpen;
    this.#button.setAttribute('aria-expanded', String(isOpen));
    this.#draw();
  }

  #draw() {
    if (this.#panel.hidden || !this.#isStale) return;
    this.#isStale = false;
    const trace = this.#shown ?? [];
    const { scrollHeight, scrollTop, clientHeight } = this.#panel;
    const isAtEnd = scrollHeight - scrollTop - clientHeight <= NEAR;
    const made = new Map();
    for (const entry of trace) made.set(entry, this.#made.get(entry) ?? row(entry));
    for (const [entry, element] of this.#made) if (!made.has(entry)) element.remove();
    let place = this.#rows.firstChild;
    for (const element of made.values()) {
      if (element === place) place = place.nextSibling;
      else this.#rows.insertBefore(element, place);
    }
    this.#made = made;
    this.#empty.hidden = trace.length > 0;
    setText(this.#empty, this.#turn && !this.#turn.isLive ? 'This page did not watch that answer.' : 'Nothing yet.');
    if (isAtEnd) this.#panel.scrollTop = this.#panel.scrollHeight;
  }

  #text() {
    const { snapshot, via } = this.#turn ?? { snapshot: {}, via: '' };
    return textOf(this.#shown ?? [], { sessionId: this.#sessionId, runId: snapshot.runId, via });
  }
}

const row = (entry) => {
  const [what, detail] = wordsOf(entry);
  return h('tr', { 'data-what': entry.what, 'data-mood': moodOf(entry), 'data-testid': 'trace-entry' },
    h('td', {}, clock.format(entry.at)),
    h('td', {}, h('i', { class: 'dot', 'aria-hidden': 'true' }), what),
    h('td', {}, transportName(entry.transport)),
    h('td', {}, detail));
};
