// What became of the connection of the run on the screen, newest first, in the library's own terms.
import { h } from './dom.js';

const clock = new Intl.DateTimeFormat('en-GB', { minute: '2-digit', second: '2-digit', fractionalSecondDigits: 1 });

const words = ({ at, connection: { state, attempt, retryAt, transport, error } }) => {
  const cause = error && (error.status ? `HTTP ${error.status}` : error.code);
  switch (state) {
    case 'connecting': return attempt > 0 ? `Connecting, attempt ${attempt}` : 'Connecting';
    case 'open': return `Open${transport ? ` over ${transport}` : ''}`;
    case 'reconnecting':
      if (!retryAt) return `Trying again, attempt ${attempt}`;
      return ['Lost', cause, retryAt > at && `again in ${((retryAt - at) / 1000).toFixed(1)}\u00a0s`]
        .filter(Boolean).join(' · ');
    case 'offline': return 'Offline, waiting for the network';
    case 'failed': return ['Given up', cause].filter(Boolean).join(' · ');
    default: return 'Closed';
  }
};

export class ConnectionLog {
  #list;
  #shown = null;
  #entries = new WeakMap();

  constructor(list) {
    this.#list = list;
  }

  /** `log`: entries `{at, connection}`, the latest last; the same array when nothing is new. */
  show(log) {
    if (log === this.#shown) return;
    this.#shown = log;
    this.#list.replaceChildren(...log.toReversed().map((entry) => this.#row(entry)));
  }

  #row(entry) {
    if (!this.#entries.has(entry)) {
      this.#entries.set(entry, h('li', { 'data-state': entry.connection.state },
        h('time', {}, clock.format(entry.at)),
        h('i', { class: 'dot', 'aria-hidden': 'true' }),
        h('span', {}, words(entry))));
    }
    return this.#entries.get(entry);
  }
}
