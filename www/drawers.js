// On a narrow screen the side columns are drawers: one open at a time, closed by Escape, by the scrim, or by a choice in it.
// What is closed is `visibility: hidden` in style.css, so it cannot be reached by Tab either.

export class Drawers {
  #open = null;

  constructor() {
    for (const button of document.querySelectorAll('[data-opens]')) {
      button.addEventListener('click', () => (this.#open === button ? this.close() : this.open(button)));
    }
    document.getElementById('scrim').addEventListener('click', () => this.close());
    for (const button of document.querySelectorAll('[data-closes]')) button.addEventListener('click', () => this.close());
    document.addEventListener('keydown', (event) => {
      if (event.key !== 'Escape' || !this.#open) return;
      event.preventDefault();
      this.close();
    });
  }

  open(button) {
    this.close();
    this.#open = button;
    const drawer = document.getElementById(button.dataset.opens);
    document.body.dataset.drawer = drawer.id;
    button.setAttribute('aria-expanded', 'true');
    drawer.querySelector('button, input, a')?.focus({ preventScroll: true });
  }

  close() {
    const button = this.#open;
    if (!button) return;
    this.#open = null;
    delete document.body.dataset.drawer;
    button.setAttribute('aria-expanded', 'false');
    button.focus({ preventScroll: true });
  }
}
