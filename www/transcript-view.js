// The conversation on the screen: one view a turn, or a welcome while there is none.
import { h } from './dom.js';
import { MessageView } from './message-view.js';

const SUGGESTIONS = [
  'Walk me through what happens when a stream is cut',
  'Compare the regions in a table, and show the query',
  'Explain cursors and replay with an example',
];

export class TranscriptView {
  #root;
  #actions;
  #views = new Map();
  #session = null;

  /** `actions`: `retry(turn, hadFocus)`, `reload()`, `suggest(text)`. */
  constructor(root, actions) {
    this.#root = root;
    this.#actions = actions;
  }

  /** Shows another session, or the same one after a turn was added. */
  show(session) {
    if (session !== this.#session) {
      this.#session = session;
      this.#views.clear();
      this.#root.replaceChildren();
    }
    if (session.turns.length === 0) this.#root.replaceChildren(this.#welcome());
    else if (this.#views.size === 0) this.#root.replaceChildren();
    for (const turn of session.turns) if (!this.#views.has(turn)) this.#add(turn);
  }

  update(turn) {
    this.#views.get(turn)?.update();
  }

  #add(turn) {
    const view = new MessageView(turn, this.#actions);
    this.#views.set(turn, view);
    this.#root.append(view.question, view.answer);
  }

  #welcome() {
    return h('div', { class: 'welcome' },
      h('h2', {}, 'Ask something, then break the connection.'),
      h('p', {}, 'The answers are made up by the server behind this page. The trouble is real: sockets are reset,'
        + ' requests are refused, the server goes away. Watch the text.'),
      h('ul', { class: 'suggestions' }, ...SUGGESTIONS.map((text) =>
        h('li', {}, h('button', { type: 'button', onclick: () => this.#actions.suggest(text) }, text)))));
  }
}
