// Breaks things, on the server, for real; and says what the next answers are like. The panel knows nothing of the client.
import { happen, setRecipe } from './control.js';
import { h, icon, setText } from './dom.js';

const KEY = 'steadystream-demo.next';

// What happens once. `lastsMs`: how long it holds, for the bar that runs out under the button.
const ONCE = [
  {
    id: 'cut', icon: 'cut', label: 'Cut now', hint: 'Reset every open stream',
    body: { do: 'cut', how: 'rst' },
  },
  {
    id: '503', icon: 'refuse', label: '503 for 5\u00a0s', hint: 'Refuse every request',
    body: { do: 'status', code: 503, ms: 5000 }, lastsMs: 5000,
  },
  {
    id: 'offline', icon: 'offline', label: 'Offline 5\u00a0s', hint: 'Stop listening, drop everyone',
    body: { do: 'offline', ms: 5000 }, lastsMs: 5000,
  },
  {
    id: 'restart', icon: 'restart', label: 'Restart', hint: 'Down for 1.5\u00a0s, log kept',
    body: { do: 'restart', keepLog: true, ms: 1500 }, lastsMs: 1500,
  },
];

// What holds until it is cleared.
const LASTING = [
  {
    id: 'cut-every', icon: 'cuts', label: 'Cut every 1\u00a0s', hint: 'For as long as it is on',
    body: { do: 'cutEvery', ms: 1000, how: 'rst' },
  },
  {
    id: 'stall', icon: 'stall', label: 'Stall', hint: 'Sockets stay open, no byte comes',
    body: { do: 'stall' },
  },
];

// Fast enough to read, up to as fast as the socket takes it (0).
const SPEEDS = [5, 10, 20, 40, 80, 160, 400, 1000, 0];
const LENGTHS = [150, 400, 1200, 4000];
const NAMES = ['short', 'medium', 'long', 'very long'];
// What the run-server does when nobody says anything.
const USUAL = { speed: SPEEDS.indexOf(40), size: LENGTHS.indexOf(400), tools: true, reasoning: true, transport: 'fetch' };
const TOOL_CALLS = 2;

// A page may be denied its storage; a reload then forgets the choice.
const remember = {
  read() {
    try {
      return JSON.parse(sessionStorage.getItem(KEY));
    } catch {
      return null;
    }
  },
  write(next) {
    try {
      sessionStorage.setItem(KEY, JSON.stringify(next));
    } catch {}
  },
};

export class FaultPanel {
  #next = { ...USUAL };
  #on = new Set();
  #buttons = new Map();
  #timers = new Map();
  #note;
  #onHappened;
  #pending = Promise.resolve();

  /** `onHappened()`: something was done to the server. */
  constructor(root, onHappened) {
    this.#onHappened = onHappened;
    this.#note = root.querySelector('[data-part=note]');
    root.querySelector('[data-part=once]').append(...ONCE.map((fault) => this.#button(fault, () => this.#once(fault))));
    root.querySelector('[data-part=lasting]').append(...LASTING.map((fault) => this.#button(fault, () => this.#toggle(fault))));
    root.querySelector('[data-testid=fault-clear]').addEventListener('click', () => this.#clear());
    this.#bind(root.querySelector('form').elements);
  }

  get transport() {
    return this.#next.transport;
  }

  /** Settles once the server knows what the next run is to be like; never rejects. */
  ready() {
    return this.#pending;
  }

  #button(fault, onclick) {
    const isLasting = LASTING.includes(fault);
    const attributes = { 'data-testid': `fault-${fault.id}`, 'aria-pressed': isLasting ? 'false' : null, onclick };
    const button = h('button', { class: 'fault', type: 'button', ...attributes },
      icon(fault.icon), h('span', { class: 'fault-label' }, fault.label), h('span', { class: 'fault-hint' }, fault.hint));
    this.#buttons.set(fault.id, button);
    return button;
  }

  async #do(body) {
    try {
      await happen(body);
      setText(this.#note, '');
      return true;
    } catch {
      setText(this.#note, 'The server does not answer right now. Try again in a moment.');
      return false;
    } finally {
      this.#onHappened();
    }
  }

  async #once({ id, body, lastsMs = 0 }) {
    const button = this.#buttons.get(id);
    if (!await this.#do(body) || lastsMs === 0) return;
    button.style.setProperty('--lasts', `${lastsMs}ms`);
    // Pressed again while it runs: the bar starts over.
    button.classList.remove('is-on');
    void button.offsetWidth;
    button.classList.add('is-on');
    clearTimeout(this.#timers.get(id));
    this.#timers.set(id, setTimeout(() => button.classList.remove('is-on'), lastsMs));
  }

  // The server can only clear everything: what else is on is put back.
  async #toggle({ id, body }) {
    if (!this.#on.has(id)) {
      if (await this.#do(body)) this.#on.add(id);
    } else if (await this.#do({ do: 'clear' })) {
      this.#on.delete(id);
      for (const other of LASTING) if (this.#on.has(other.id)) await this.#do(other.body);
    }
    this.#showOn();
  }

  async #clear() {
    if (!await this.#do({ do: 'clear' })) return;
    this.#on.clear();
    this.#showOn();
    for (const button of this.#buttons.values()) button.classList.remove('is-on');
  }

  #showOn() {
    for (const { id } of LASTING) this.#buttons.get(id).setAttribute('aria-pressed', String(this.#on.has(id)));
  }

  #bind(fields) {
    const saved = remember.read();
    Object.assign(this.#next, saved);
    fields.speed.max = SPEEDS.length - 1;
    fields.size.max = LENGTHS.length - 1;
    fields.speed.value = this.#next.speed;
    fields.size.value = this.#next.size;
    fields.tools.checked = this.#next.tools;
    fields.reasoning.checked = this.#next.reasoning;
    fields.transport.value = this.#next.transport;
    this.#showNext(fields);
    // Until somebody chooses something, the server's own defaults hold.
    if (saved) this.#send();
    const read = () => {
      this.#next = {
        speed: Number(fields.speed.value),
        size: Number(fields.size.value),
        tools: fields.tools.checked,
        reasoning: fields.reasoning.checked,
        transport: fields.transport.value,
      };
      this.#showNext(fields);
    };
    const form = fields.speed.form;
    form.addEventListener('input', read);
    form.addEventListener('change', () => {
      read();
      remember.write(this.#next);
      this.#send();
    });
    form.addEventListener('submit', (event) => event.preventDefault());
  }

  #showNext({ speed, speedText, size, sizeText }) {
    const events = SPEEDS[this.#next.speed];
    speedText.value = events === 0 ? 'as fast as it goes' : `${events} events/s`;
    sizeText.value = `${NAMES[this.#next.size]}, ${LENGTHS[this.#next.size].toLocaleString('en')} events`;
    speed.setAttribute('aria-valuetext', speedText.value);
    size.setAttribute('aria-valuetext', sizeText.value);
  }

  #send() {
    const { speed, size, tools, reasoning } = this.#next;
    const recipe = { eventsPerSecond: SPEEDS[speed], events: LENGTHS[size], toolCalls: tools ? TOOL_CALLS : 0, reasoning };
    this.#pending = setRecipe(recipe).then(
      () => setText(this.#note, ''),
      () => setText(this.#note, 'The server does not answer right now; the next answer may be as before.'),
    );
  }
}
