// A turn on the screen: the question, the answer's parts, a line that says what became of it, and the banner of an error with
// its way out. The line has its height from the first moment on, so that the end of an answer moves nothing.
import { sendOf } from './client.js';
import { copyButton, h, icon, setText } from './dom.js';
import { findLadder } from './ladders.js';
import { PartsView } from './part-views.js';
import { prove } from './proof.js';

const count = (n, one, many) => `${n.toLocaleString('en')} ${n === 1 ? one : many}`;
const seconds = ({ startedAt, updatedAt }) => (
  startedAt && updatedAt ? `${Math.max(0.1, (updatedAt - startedAt) / 1000).toFixed(1)} s` : null
);

const PROOF = 'Compared part by part with the server’s own record of this run';

// `proof` is the server's word, not ours: see proof.js.
const verdict = ({ drops, proof }) => {
  const lost = drops > 0 && count(drops, 'drop', 'drops');
  if (proof === 'different') return 'not what the server wrote';
  if (proof === 'identical') return lost ? `${lost}, nothing lost` : 'nothing lost';
  return lost;
};

/** `[mood, words]` of the line below an answer that has ended. */
const describe = (turn) => {
  const { snapshot } = turn;
  const { status, error } = snapshot;
  const facts = (...words) => words.filter(Boolean).join(' · ');
  switch (status) {
    case 'completed':
      return [turn.proof === 'different' ? 'bad' : 'ok', facts('Complete', seconds(snapshot), verdict(turn))];
    case 'cancelled':
      return ['calm', facts('Stopped', seconds(snapshot))];
    case 'failed':
      return ['bad', 'Failed'];
    default:
      return error?.code === 'aborted' ? ['calm', 'Not watched any more'] : ['warn', 'Interrupted. What came so far is kept.'];
  }
};

export class MessageView {
  #turn;
  #actions;
  #parts = new PartsView();
  #words = h('span', {});
  #line = h('footer', { class: 'line', 'data-testid': 'run-state' },
    h('i', { class: 'pulse', 'aria-hidden': 'true' }), this.#words);
  #banner = h('div', { class: 'banner', 'data-testid': 'error-banner', role: 'group', 'aria-label': 'Problem', hidden: true });
  #shown = null;

  /** `actions`: `retry(turn)`, `reload()`. */
  constructor(turn, actions) {
    this.#turn = turn;
    this.#actions = actions;
    this.#line.append(copyButton(() => this.#turn.snapshot.text));
    this.answer = h('article', { class: 'message assistant', 'data-testid': 'message', 'data-role': 'assistant' },
      h('h2', { class: 'visually-hidden' }, 'Answer'), this.#parts.element, this.#line, this.#banner);
    this.question = h('article', { class: 'message user', 'data-testid': 'message', 'data-role': 'user' },
      h('h2', { class: 'visually-hidden' }, 'You'), h('div', { class: 'bubble', dir: 'auto' }, turn.question));
    this.update();
  }

  update() {
    const turn = this.#turn;
    const { snapshot } = turn;
    const before = this.#shown;
    this.#parts.update(snapshot.parts);
    this.question.dataset.send = sendOf(turn) ?? 'stored';
    if (snapshot.runId && snapshot.runId !== before?.runId) this.answer.dataset.runId = snapshot.runId;
    if (snapshot.status !== before?.status || snapshot.error !== before.error) {
      this.answer.dataset.status = snapshot.status;
      this.answer.setAttribute('aria-busy', turn.isLive);
      this.#showLine();
      this.#showBanner();
    }
    if (snapshot.status === 'completed' && turn.proof === null) this.#prove();
    this.#shown = snapshot;
  }

  #showLine() {
    const { isLive, snapshot } = this.#turn;
    this.#line.dataset.live = isLive;
    if (isLive) return;
    const [mood, words] = describe(this.#turn);
    this.#line.dataset.mood = mood;
    setText(this.#words, words);
    this.#words.title = this.#turn.proof === 'identical' ? PROOF : '';
    this.#line.lastChild.hidden = snapshot.text === '';
    if (this.#turn.proof) this.answer.dataset.proof = this.#turn.proof;
  }

  #showBanner() {
    const { status, error } = this.#turn.snapshot;
    const isShown = error && (status === 'failed' || status === 'interrupted') && error.code !== 'aborted';
    this.#banner.hidden = !isShown;
    if (!isShown) return;
    const isCrashed = error.code === 'engine-crashed';
    const attributes = isCrashed
      ? { onclick: () => this.#actions.reload() }
      : { onclick: () => this.#retry(), 'data-testid': 'retry' };
    const button = h('button', { class: 'button', type: 'button', ...attributes },
      icon('retry'), isCrashed ? 'Reload the page' : 'Retry');
    this.#banner.dataset.code = error.code ?? '';
    this.#banner.replaceChildren(icon('alert'), h('p', { dir: 'auto' }, error.message), button);
  }

  // The button that had the focus goes away with its banner.
  #retry() {
    const hadFocus = this.#banner.contains(document.activeElement);
    this.#actions.retry(this.#turn, hadFocus);
  }

  async #prove() {
    const turn = this.#turn;
    turn.proof = 'unknown';
    turn.proof = await prove(turn.snapshot, findLadder(turn.via).protocol);
    this.#showLine();
  }
}
