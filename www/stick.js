// Keeps a scroller at its end while its content grows, for as long as the reader is there. Scrolling up is the reader's
// decision and ends it; coming back to the end, or asking for the latest, starts it again.

const NEAR = 32;

export class Stick {
  #scroller;
  #button;
  #isStuck = true;
  #lastTop = 0;

  /** `contents`: what grows in it. */
  constructor(scroller, contents, button) {
    this.#scroller = scroller;
    this.#button = button;
    scroller.addEventListener('scroll', () => this.#handleScroll(), { passive: true });
    button.addEventListener('click', () => this.toLatest({ smooth: true }));
    // After layout and before paint: the text and its place on the screen change in the same frame.
    const observer = new ResizeObserver(() => this.#follow());
    for (const content of contents) observer.observe(content);
    observer.observe(scroller);
  }

  /** Goes to the end and stays there. */
  toLatest({ smooth = false } = {}) {
    this.#isStuck = true;
    const isCalm = matchMedia('(prefers-reduced-motion: reduce)').matches;
    const distance = this.#distance();
    // A long way is not worth watching.
    const behavior = smooth && !isCalm && distance < 3 * this.#scroller.clientHeight ? 'smooth' : 'instant';
    this.#scroller.scrollTo({ top: this.#scroller.scrollHeight, behavior });
    this.#show();
  }

  #distance() {
    const { scrollHeight, scrollTop, clientHeight } = this.#scroller;
    return scrollHeight - scrollTop - clientHeight;
  }

  #handleScroll() {
    const { scrollTop } = this.#scroller;
    if (this.#distance() <= NEAR) this.#isStuck = true;
    else if (scrollTop < this.#lastTop) this.#isStuck = false;
    this.#lastTop = scrollTop;
    this.#show();
  }

  #follow() {
    if (this.#isStuck) this.#scroller.scrollTop = this.#scroller.scrollHeight;
    this.#lastTop = this.#scroller.scrollTop;
    this.#show();
  }

  #show() {
    const isHidden = this.#isStuck || this.#distance() <= NEAR;
    if (this.#button.hidden !== isHidden) this.#button.hidden = isHidden;
  }
}
