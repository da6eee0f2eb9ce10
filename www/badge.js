// The connection of the run on the screen, as the library tells it, in a word. The countdown is to `retryAt`.
import { h, setText } from './dom.js';

const WORDS = {
  connecting: 'Connecting',
  open: 'Live',
  reconnecting: 'Reconnecting',
  offline: 'Offline',
  closed: 'Idle',
  failed: 'Connection failed',
};
const TICK_MS = 100;

const left = (retryAt) => Math.max(0, retryAt - Date.now()) / 1000;

export class Badge {
  #element;
  #label = h('span', { class: 'badge-label' });
  #detail = h('span', { class: 'badge-detail' });
  #connection = null;
  #timer = 0;

  constructor(element) {
    this.#element = element;
    element.append(h('i', { class: 'dot', 'aria-hidden': 'true' }), this.#label, this.#detail);
  }

  show(connection) {
    if (connection === this.#connection) return;
    this.#connection = connection;
    const { state, transport, attempt, error } = connection;
    this.#element.dataset.state = state;
    this.#element.dataset.attempt = attempt;
    setText(this.#label, WORDS[state] ?? state);
    this.#element.title = [error?.message, transport && `Transport: ${transport}`].filter(Boolean).join('\n');
    clearInterval(this.#timer);
    if (state === 'reconnecting' && connection.retryAt) this.#timer = setInterval(() => this.#tick(), TICK_MS);
    this.#tick();
  }

  #tick() {
    const { state, retryAt } = this.#connection;
    const seconds = state === 'reconnecting' && retryAt ? left(retryAt) : 0;
    setText(this.#detail, seconds > 0 ? `in ${seconds < 10 ? seconds.toFixed(1) : Math.ceil(seconds)} s` : '');
  }
}
