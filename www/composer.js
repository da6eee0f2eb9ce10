// Where the user writes. One button place: Send while nothing runs, Stop while something does.
import { setText } from './dom.js';

export class Composer {
  #form;
  #box;
  #send;
  #stop;
  #isLive = false;

  /** `actions`: `send(text)`, `stop()`. */
  constructor(form, actions) {
    this.#form = form;
    this.#box = form.elements.message;
    this.#send = form.querySelector('[data-testid=send]');
    this.#stop = form.querySelector('[data-testid=stop]');
    form.addEventListener('submit', (event) => {
      event.preventDefault();
      const text = this.#box.value.trim();
      if (text === '' || this.#isLive) return;
      this.#box.value = '';
      this.#fit();
      actions.send(text);
    });
    this.#box.addEventListener('input', () => this.#fit());
    this.#box.addEventListener('keydown', (event) => {
      // Enter that ends an input method's composition is not ours.
      if (event.key !== 'Enter' || event.shiftKey || event.isComposing || event.keyCode === 229) return;
      event.preventDefault();
      form.requestSubmit();
    });
    this.#stop.addEventListener('click', () => actions.stop());
    this.#fit();
  }

  focus() {
    this.#box.focus({ preventScroll: true });
  }

  /** `state`: 'idle', 'live' or 'stopping'. */
  show(state) {
    if (this.#form.dataset.state === state) return;
    this.#form.dataset.state = state;
    const hadFocus = document.activeElement === this.#stop || document.activeElement === this.#send;
    this.#isLive = state !== 'idle';
    this.#send.hidden = this.#isLive;
    this.#stop.hidden = !this.#isLive;
    this.#stop.setAttribute('aria-disabled', String(state === 'stopping'));
    setText(this.#stop.lastElementChild, state === 'stopping' ? 'Stopping' : 'Stop');
    if (hadFocus) this.focus();
    this.#fit();
  }

  #fit() {
    this.#box.style.height = 'auto';
    this.#box.style.height = `${this.#box.scrollHeight}px`;
    this.#send.disabled = this.#box.value.trim() === '';
  }
}
