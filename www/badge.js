// The connection of the run on the screen, as the library tells it, in a word. The countdown is to `retryAt`, ticks here alone,
// and is not for screen readers: announcer.js tells them when the state changes.
import { h, setText } from './dom.js';
import { transportName } from './ladders.js';

const WORDS = {
  connecting: 'Connecting',
  open: 'Connected',
  reconnecting: 'Reconnecting',
  offline: 'Offline',
  closed: 'Idle',
  failed: 'Connection failed',
};

export class Badge {
  #element;
  #label = h('span', { class: 'badge-label' });
  #countdown = h('span', { class: 'badge-detail', 'data-testid': 'badge-countdown' });
  #via = h('span', { class: 'badge-via', 'data-testid': 'badge-via' });
  #connection = null;
  #timer = 0;

  constructor(element) {
    this.#element = element;
    element.append(h('i', { class: 'dot', 'aria-hidden': 'true' }), this.#label, this.#countdown, this.#via);
    // A hidden page's timers are late: what is seen again is right at once.
    document.addEventListener('visibilitychange', () => this.#tick());
  }

  show(connection) {
    if (connection === this.#connection) return;
    this.#connection = connection;
    const { state, transport, latency, attempt, error } = connection;
    this.#element.dataset.state = state;
    this.#element.dataset.attempt = attempt;
    this.#element.dataset.transport = transport ?? '';
    setText(this.#label, WORDS[state] ?? state);
    const isOver = state === 'closed' || state === 'failed';
    const via = isOver || !transport ? '' : transportName(transport);
    setText(this.#via, state === 'open' && latency !== null ? `${via} · ${latency}\u00a0ms` : via);
    this.#element.title = error?.message ?? '';
    this.#tick();
  }

  // In whole seconds, at the moments when they change.
  #tick() {
    clearTimeout(this.#timer);
    const { state, retryAt } = this.#connection ?? {};
    const left = state === 'reconnecting' && retryAt ? retryAt - Date.now() : 0;
    const seconds = Math.ceil(left / 1000);
    setText(this.#countdown, seconds > 0 ? `in ${seconds}\u00a0s` : '');
    if (left > 0) this.#timer = setTimeout(() => this.#tick(), left - (seconds - 1) * 1000);
  }
}
