// What was said in a chat before this tab knew it: the library's pages of it, above the turns of this tab. The reader's place is the
// library's business, too.
import { h, setText } from './dom.js';
import { Markdown } from './markdown.js';
import { Rows } from './rows.js';

const make = ({ role, content }) => {
  if (role === 'user') {
    return h('article', { class: 'message user', 'data-role': 'user' },
      h('h2', { class: 'visually-hidden' }, 'You'), h('div', { class: 'bubble', dir: 'auto' }, content));
  }
  const text = h('div', { class: 'text' });
  new Markdown(text).write(content, true);
  return h('article', { class: 'message assistant', 'data-role': 'assistant' }, h('h2', { class: 'visually-hidden' }, 'Answer'), text);
};

export class Past {
  #rows;
  #note;
  #session = null;

  constructor(scroller, list, note) {
    this.#rows = new Rows(scroller, list, (snapshot) => this.#show(snapshot));
    this.#note = note;
  }

  /** `client`: of a protocol that has a history, or null. */
  show(session, client) {
    const pages = client?.messages(session.id) ?? null;
    this.#session = session;
    if (!pages) setText(this.#note, '');
    this.#rows.follow(pages);
  }

  #show({ items, hasMore, loading, error }) {
    // What this tab has asked is shown by its turns.
    const { turns } = this.#session;
    const isOwn = ({ run, send, value }) => run !== null || send !== null || turns.some(({ requestId }) => requestId === value.request_id);
    this.#rows.show(items.filter((item) => !isOwn(item)), ({ value }) => make(value));
    const isEmpty = items.length === 0;
    setText(this.#note, error ? `Older messages did not come: ${error.message}` : loading === 'older' && !isEmpty ? 'Loading older messages'
      : !hasMore && !isEmpty ? 'The beginning of this chat' : '');
    this.#note.hidden = this.#note.textContent === '';
  }
}
