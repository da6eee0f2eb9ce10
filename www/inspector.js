// Facts: what the snapshot says on one side, what the server counted on the other. Nothing here is computed to please.
import { setText } from './dom.js';
import { readCounters } from './control.js';
import { transportName } from './ladders.js';
import { lengthOf } from './tide.js';

const LIVE_MS = 1000;
const IDLE_MS = 5000;

const number = (n) => n.toLocaleString('en');
const sum = (counts) => Object.values(counts ?? {}).reduce((total, n) => total + n, 0);

export class Inspector {
  #root;
  #facts = {};
  #isBusy;
  #timer = 0;

  /** `isBusy()`: whether any run is live, and the counters worth asking for often. */
  constructor(root, isBusy) {
    this.#root = root;
    this.#isBusy = isBusy;
    for (const fact of root.querySelectorAll('[data-fact]')) this.#facts[fact.dataset.fact] = fact;
    document.addEventListener('visibilitychange', () => this.poll());
    this.poll();
  }

  /** `snapshot` of the run on the screen, or null. `rate`: characters per second. */
  show(snapshot, rate) {
    const { connection, cursor } = snapshot ?? {};
    this.#set('chars', snapshot ? number(lengthOf(snapshot)) : '0');
    this.#set('rate', number(Math.round(rate)));
    this.#set('cursor', cursor ?? '–');
    this.#set('attempt', number(connection?.attempt ?? 0));
    this.#set('transport', connection?.transport ? transportName(connection.transport) : '–');
  }

  /** Asks the server now, and from then on regularly while somebody looks. */
  poll() {
    clearTimeout(this.#timer);
    if (document.hidden) return;
    readCounters().then((counters) => this.#count(counters), () => { this.#root.dataset.server = 'silent'; })
      .finally(() => {
        clearTimeout(this.#timer);
        this.#timer = setTimeout(() => this.poll(), this.#isBusy() ? LIVE_MS : IDLE_MS);
      });
  }

  #count({ connections, requests, runsStarted }) {
    this.#root.dataset.server = 'answers';
    this.#set('connections', `${number(connections.open)} open of ${number(connections.accepted)}`);
    this.#set('requests', number(sum(requests)));
    this.#facts.requests.title = Object.entries(requests).map(([name, n]) => `${name}: ${n}`).join('\n');
    this.#set('runs', number(runsStarted));
  }

  #set(name, text) {
    setText(this.#facts[name], text);
  }
}
