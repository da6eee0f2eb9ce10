// Which protocol and transports the next message takes. The choice is in the page's address: a reload keeps it, and a link
// can bring it along.
import { h } from './dom.js';
import { LADDERS, PROTOCOLS, findLadder } from './ladders.js';

const KEY = 'via';

const remember = {
  read: () => new URLSearchParams(location.search).get(KEY),
  write(id) {
    const url = new URL(location.href);
    url.searchParams.set(KEY, id);
    history.replaceState(history.state, '', url);
  },
};

export class LadderChooser {
  #chosen = findLadder(remember.read());
  // What was last chosen of each protocol, for those who go to and fro.
  #ofProtocol = new Map();
  #rows = new Map();
  #onChange;

  /** `onChange(ladder)` is called with each choice, the present one too. */
  constructor(form, onChange) {
    this.#onChange = onChange;
    form.querySelector('[data-part=protocols]').append(...PROTOCOLS.map((protocol) => this.#protocol(protocol)));
    form.querySelector('[data-part=ladders]').append(...LADDERS.map((ladder) => this.#row(ladder)));
    form.addEventListener('submit', (event) => event.preventDefault());
    this.#show(form);
    form.addEventListener('change', ({ target }) => {
      const { name, value } = target;
      this.#chosen = name === 'protocol'
        ? this.#ofProtocol.get(value) ?? LADDERS.find(({ protocol }) => protocol === value)
        : findLadder(value);
      remember.write(this.#chosen.id);
      this.#show(form);
    });
  }

  get chosen() {
    return this.#chosen;
  }

  get id() {
    return this.#chosen.id;
  }

  #protocol(protocol) {
    return h('label', {},
      h('input', { name: 'protocol', type: 'radio', value: protocol, 'data-testid': `protocol-${protocol}` }),
      h('span', {}, protocol));
  }

  #row(ladder) {
    const { id, label } = ladder;
    const row = h('label', { class: 'ladder' },
      h('input', { name: 'ladder', type: 'radio', value: id, 'data-testid': `ladder-${id}` }),
      h('span', {}, label));
    this.#rows.set(ladder, row);
    return row;
  }

  #show(form) {
    const { id, protocol } = this.#chosen;
    this.#ofProtocol.set(protocol, this.#chosen);
    form.elements.protocol.value = protocol;
    form.elements.ladder.value = id;
    for (const [ladder, row] of this.#rows) row.hidden = ladder.protocol !== protocol;
    this.#onChange(this.#chosen);
  }
}
