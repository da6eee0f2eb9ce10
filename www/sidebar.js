// The list of chats, each with a dot that says how its run is.
import { h, setText } from './dom.js';

const mark = ({ latest, hasNews }) => {
  if (latest?.isLive) {
    const { state } = latest.snapshot.connection;
    return state === 'reconnecting' || state === 'offline' ? ['trouble', 'reconnecting'] : ['live', 'answering'];
  }
  if (hasNews) return latest.snapshot.status === 'completed' ? ['news', 'new answer'] : ['lost', 'needs attention'];
  return ['none', ''];
};

export class Sidebar {
  #list;
  #onPick;
  #rows = new Map();

  constructor(list, onPick) {
    this.#list = list;
    this.#onPick = onPick;
  }

  show(sessions) {
    sessions.list.forEach((session, i) => {
      if (!this.#rows.has(session)) this.#rows.set(session, this.#make(session));
      const { row } = this.#rows.get(session);
      if (this.#list.children[i] !== row) this.#list.insertBefore(row, this.#list.children[i] ?? null);
      this.update(session, sessions.current);
    });
  }

  update(session, current) {
    const { button, title, note } = this.#rows.get(session);
    const [state, words] = mark(session);
    setText(title, session.title);
    setText(note, words);
    button.dataset.mark = state;
    if (session === current) button.setAttribute('aria-current', 'true');
    else button.removeAttribute('aria-current');
  }

  #make(session) {
    const title = h('span', { class: 'session-title', dir: 'auto' });
    const note = h('span', { class: 'visually-hidden' });
    const onclick = () => this.#onPick(session);
    const button = h('button', { type: 'button', 'data-testid': 'session', 'data-session-id': session.id, onclick },
      title, note, h('i', { class: 'dot', 'aria-hidden': 'true' }));
    return { row: h('li', {}, button), button, title, note };
  }
}
