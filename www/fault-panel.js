// Breaks things, on the server, for real; and says what the next answers are like. The panel knows nothing of the client.
import { isProxied, setRecipe } from './control.js';
import { h, icon, setText } from './dom.js';
import { LASTING, ONCE, PLACES } from './faults.js';

const KEY = 'steadystream-demo.next';

// Fast enough to read, up to as fast as the socket takes it (0).
const SPEEDS = [5, 10, 20, 40, 80, 160, 400, 1000, 0];
const LENGTHS = [150, 400, 1200, 4000];
const NAMES = ['short', 'medium', 'long', 'very long'];
// What the run-server does when nobody says anything.
const USUAL = { speed: SPEEDS.indexOf(40), size: LENGTHS.indexOf(400), tools: true, reasoning: true };
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
  #fields;
  #onHappened;
  #pending = Promise.resolve();

  /** `onHappened()`: something was done to the server. */
  constructor(root, onHappened) {
    this.#onHappened = onHappened;
    this.#note = root.querySelector('[data-part=note]');
    root.querySelector('[data-part=once]').append(...ONCE.map((fault) => this.#button(fault, () => this.#once(fault))));
    root.querySelector('[data-part=lasting]').append(...LASTING.map((fault) => this.#button(fault, () => this.#toggle(fault))));
    root.querySelector('[data-testid=fault-clear]').addEventListener('click', () => this.#clear());
    this.#fields = root.querySelector('.next').elements;
    this.#bind(this.#fields);
    const proxied = LASTING.filter(({ needsProxy }) => needsProxy).map(({ id }) => this.#buttons.get(id));
    for (const button of proxied) button.hidden = true;
    isProxied().then((isThere) => {
      for (const button of proxied) button.hidden = !isThere;
    });
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

  /** Parts of an answer that this protocol does not have are not on offer. */
  showProtocol(protocol) {
    for (const name of ['tools', 'reasoning']) this.#fields[name].disabled = protocol === 'ws-chat';
  }

  async #do(...actions) {
    try {
      for (const action of actions) await action();
      setText(this.#note, '');
      return true;
    } catch {
      setText(this.#note, 'The server does not answer right now. Try again in a moment.');
      return false;
    } finally {
      this.#onHappened();
    }
  }

  async #once(fault) {
    if (await this.#do(fault.start) && fault.lastsMs) this.#startBar(fault);
  }

  async #toggle(fault) {
    if (this.#on.has(fault)) {
      const others = [...this.#on].filter((other) => other !== fault && other.place === fault.place);
      if (!await this.#do(fault.place, ...others.map(({ start }) => start))) return;
      this.#switchOff(fault);
      others.forEach((other) => this.#switchOn(other));
    } else if (await this.#do(fault.start)) {
      this.#switchOn(fault);
    }
  }

  #switchOn(fault) {
    this.#on.add(fault);
    if (fault.lastsMs) this.#startBar(fault, () => this.#switchOff(fault));
    this.#showOn();
  }

  #switchOff(fault) {
    this.#on.delete(fault);
    this.#stopBar(fault.id);
    this.#showOn();
  }

  async #clear() {
    if (!await this.#do(...PLACES)) return;
    this.#on.clear();
    for (const { id } of [...ONCE, ...LASTING]) this.#stopBar(id);
    this.#showOn();
  }

  // The bar that runs out; at its end the fault is over by itself.
  #startBar({ id, lastsMs }, onEnd) {
    this.#stopBar(id);
    const button = this.#buttons.get(id);
    button.style.setProperty('--lasts', `${lastsMs}ms`);
    // Pressed again while it runs: the bar starts over.
    void button.offsetWidth;
    button.classList.add('is-on');
    this.#timers.set(id, setTimeout(() => {
      this.#stopBar(id);
      onEnd?.();
    }, lastsMs));
  }

  #stopBar(id) {
    clearTimeout(this.#timers.get(id));
    this.#buttons.get(id).classList.remove('is-on');
  }

  #showOn() {
    for (const fault of LASTING) this.#buttons.get(fault.id).setAttribute('aria-pressed', String(this.#on.has(fault)));
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
    this.#showNext(fields);
    // Until somebody chooses something, the server's own defaults hold.
    if (saved) this.#send();
    const read = () => {
      this.#next = {
        speed: Number(fields.speed.value),
        size: Number(fields.size.value),
        tools: fields.tools.checked,
        reasoning: fields.reasoning.checked,
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
