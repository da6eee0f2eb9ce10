// The chats that the server knows of and this tab does not, newest first: a list that grows as it is scrolled.
import { h } from './dom.js';
import { Rows } from './rows.js';

const DAY = new Intl.DateTimeFormat('en', { day: 'numeric', month: 'short', hour: '2-digit', minute: '2-digit', hour12: false });

export class Earlier {
  #root;
  #rows;
  #onPick;
  #sessions = null;

  /** `root`: the heading and the list, hidden where there are none; `scroller`: what scrolls; `onPick(id, title)`. */
  constructor(root, scroller, onPick) {
    this.#root = root;
    this.#rows = new Rows(scroller, root.querySelector('ul'), (snapshot) => this.#show(snapshot));
    this.#onPick = onPick;
  }

  /** `sessions`: this tab's; `client`: of a protocol that has a list of sessions, or null. */
  show(sessions, client) {
    this.#sessions = sessions;
    const pages = client?.sessions() ?? null;
    if (!pages) this.#root.hidden = true;
    if (!this.#rows.follow(pages) && pages) this.#show(pages.getSnapshot());
  }

  #show({ items }) {
    const own = new Set(this.#sessions.list.map(({ id }) => id));
    const others = items.filter(({ id }) => !own.has(id));
    this.#rows.show(others, ({ id, value }) => {
      const title = `Chat of ${DAY.format(value.updated_at ?? Date.now())}`;
      return h('li', {}, h('button', { type: 'button', 'data-testid': 'earlier', 'data-session-id': id, onclick: () => this.#onPick(id, title) },
        h('span', { class: 'session-title' }, title), h('span', { class: 'faint' }, String(value.message_count ?? ''))));
    });
    this.#root.hidden = others.length === 0;
  }
}
