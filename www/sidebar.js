// The list of chats, each with a dot that says how its run is: this tab's own, or what the server says runs there.
import { h, setText } from './dom.js';

const LIVE = ['queued', 'streaming'];

const mark = ({ latest, hasNews, ended }, status) => {
  const state = latest?.isLive ? latest.snapshot.connection.state : 'none';
  if (state === 'reconnecting' || state === 'offline') return ['trouble', 'reconnecting'];
  if (state !== 'none' || LIVE.includes(status)) return ['live', 'answering'];
  if (hasNews) return (ended ?? latest?.snapshot.status) === 'completed' ? ['news', 'new answer'] : ['lost', 'needs attention'];
  return ['none', ''];
};

export class Sidebar {
  #list;
  #onPick;
  #rows = new Map();
  #runs = null;
  #leave = () => {};
  #running = new Set();     // sessions, as far as `runs` has told
  #current = null;

  constructor(list, onPick) {
    this.#list = list;
    this.#onPick = onPick;
  }

  /** `runs`: the library's store of what runs in which chat, or null. */
  follow(runs) {
    if (runs === this.#runs) return;
    this.#leave();
    this.#runs = runs;
    this.#running.clear();
    this.#leave = runs?.subscribe(() => this.#hear()) ?? (() => {});
    if (!runs) this.#hear();
  }

  // What has ended elsewhere is news, too; an own run's turn says so itself.
  #hear() {
    for (const session of this.#rows.keys()) {
      const status = this.#runs?.status(session.id);
      if (LIVE.includes(status)) {
        this.#running.add(session);
      } else if (this.#running.delete(session) && status && session !== this.#current && !session.latest?.isLive) {
        session.hasNews = true;
        session.ended = status;
      }
      this.update(session, this.#current);
    }
  }

  show(sessions) {
    this.#current = sessions.current;
    sessions.list.forEach((session, i) => {
      if (!this.#rows.has(session)) this.#rows.set(session, this.#make(session));
      const { row } = this.#rows.get(session);
      if (this.#list.children[i] !== row) this.#list.insertBefore(row, this.#list.children[i] ?? null);
      this.update(session, sessions.current);
    });
  }

  update(session, current) {
    const { button, title, note } = this.#rows.get(session);
    const [state, words] = mark(session, this.#runs?.status(session.id));
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
