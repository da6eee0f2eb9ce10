// One view for each kind of part. A view is made with its part, and told of the next one only when the part is another
// object: the library keeps a finished part the same object for ever.
import { growText, h, icon, setText } from './dom.js';
import { Markdown } from './markdown.js';

const duration = (ms) => (ms < 1000 ? `${ms} ms` : `${(ms / 1000).toFixed(1)} s`);

class TextView {
  #markdown;

  constructor() {
    this.element = h('div', { class: 'text', 'data-testid': 'text-block' });
    this.#markdown = new Markdown(this.element);
  }

  update({ seq, text, state }) {
    this.element.dataset.seq = seq;
    this.element.dataset.state = state;
    this.element.hidden = text === '';
    this.#markdown.write(text, state === 'done');
  }
}

// What fits on a folded line, and no less.
const PREVIEW = 160;

/** The sentence that is being thought. */
const latestThought = (text) => {
  const sentences = text.slice(-PREVIEW * 2).split(/(?<=[.!?]\s|[。！？\n])/);
  return sentences.findLast((sentence) => sentence.trim() !== '') ?? '';
};

class ReasoningView {
  #label = h('span', { class: 'fold-label' });
  #preview = h('span', { class: 'fold-preview', dir: 'auto', 'aria-hidden': 'true' });
  #text = document.createTextNode('');

  constructor() {
    this.element = h('details', { class: 'reasoning', 'data-testid': 'reasoning' },
      h('summary', {}, icon('thought'), this.#label, this.#preview, icon('chevron')),
      h('div', { class: 'thoughts', dir: 'auto' }, this.#text));
  }

  update({ text, state, startedAt, endedAt }) {
    const isThinking = state === 'streaming';
    this.element.dataset.state = state;
    const thought = endedAt > startedAt ? `Thought for ${duration(endedAt - startedAt)}` : 'Thought process';
    setText(this.#label, isThinking ? 'Thinking' : thought);
    setText(this.#preview, isThinking ? latestThought(text).trim().slice(0, PREVIEW) : '');
    growText(this.#text, text);
  }
}

const TOOL_STATES = { running: 'Running', done: 'Done', failed: 'Failed' };

const pretty = (json) => {
  try {
    return JSON.stringify(JSON.parse(json), null, 2);
  } catch {
    return json;
  }
};

const labelled = (label, text, kind) => h('section', { class: kind },
  h('h3', {}, label),
  h('pre', { tabindex: '0', dir: 'auto' }, text));

class ToolView {
  #name = h('code', { class: 'tool-name' });
  #agent = h('span', { class: 'chip' });
  #glance = h('span', { class: 'fold-preview', 'aria-hidden': 'true' });
  #duration = h('span', { class: 'tool-duration' });
  #state = h('span', { class: 'tool-state' });
  #body = h('div', { class: 'tool-body' });

  constructor() {
    this.element = h('details', { class: 'tool', 'data-testid': 'tool-call' },
      h('summary', {}, icon('tool'), this.#name, this.#agent, this.#glance, this.#duration, this.#state, icon('chevron')),
      this.#body);
  }

  update({ callId, name, agentName, arguments: input, result, error, durationMs, state }) {
    Object.assign(this.element.dataset, { callId, name, state });
    setText(this.#name, name || 'tool');
    setText(this.#agent, agentName ?? '');
    this.#agent.hidden = !agentName;
    setText(this.#glance, (input ?? '').slice(0, PREVIEW));
    setText(this.#duration, durationMs ? duration(durationMs) : '');
    setText(this.#state, TOOL_STATES[state] ?? state);
    this.#body.replaceChildren(...[
      input && labelled('Arguments', pretty(input), 'tool-arguments'),
      result && labelled('Result', result, 'tool-result'),
      error && labelled('Error', error, 'tool-error'),
      state === 'running' && h('p', { class: 'faint' }, 'No result yet.'),
    ].filter(Boolean));
  }
}

const hostOf = (url) => {
  try {
    const { protocol, hostname } = new URL(url);
    return protocol === 'https:' || protocol === 'http:' ? hostname : null;
  } catch {
    return null;
  }
};

class CitationView {
  constructor() {
    this.element = h('aside', { class: 'source', 'data-testid': 'citation' });
  }

  update({ citation }) {
    const { title, url, excerpt } = citation ?? {};
    const host = hostOf(url);
    const words = [
      h('span', { class: 'source-title', dir: 'auto' }, title || url || 'Source'),
      host && h('span', { class: 'source-host' }, host),
      excerpt && h('span', { class: 'source-excerpt', dir: 'auto' }, excerpt),
    ].filter(Boolean);
    this.element.replaceChildren(icon('source'),
      host ? h('a', { href: url, target: '_blank', rel: 'noopener noreferrer' }, ...words) : h('span', {}, ...words));
  }
}

class QuestionView {
  constructor() {
    this.element = h('section', { class: 'question', 'data-testid': 'interrupt' });
  }

  update({ interrupt }) {
    const questions = (interrupt?.questions ?? []).map(({ text, options }) => h('div', {},
      h('p', { dir: 'auto' }, text ?? ''),
      h('ul', {}, ...(options ?? []).map(({ label }) => h('li', { dir: 'auto' }, label ?? '')))));
    this.element.replaceChildren(h('h3', {}, icon('question'), 'The assistant asks'), ...questions);
  }
}

class UnknownView {
  constructor() {
    this.element = h('div', { hidden: true });
  }

  update() {}
}

// The AI SDK's parts, in the terms of ours.

const CALL_STATES = { 'output-available': 'done', 'output-error': 'failed', 'output-denied': 'failed' };
const textOf = (value) => (value === undefined || typeof value === 'string' ? value : JSON.stringify(value));

class CallView extends ToolView {
  update({ type, toolCallId, toolName = type.slice('tool-'.length), state, input, rawInput, output, errorText }) {
    super.update({
      callId: toolCallId, name: toolName, state: CALL_STATES[state] ?? 'running', error: errorText,
      arguments: textOf(input) ?? rawInput, result: textOf(output),
    });
  }
}

class SourceView extends CitationView {
  update({ title, filename, url }) {
    super.update({ citation: { title: title ?? filename, url } });
  }
}

const VIEWS = {
  text: TextView, reasoning: ReasoningView, tool: ToolView, citation: CitationView, interrupt: QuestionView,
  'dynamic-tool': CallView, 'source-url': SourceView, 'source-document': SourceView,
};
const viewFor = (type) => VIEWS[type] ?? (type.startsWith('tool-') ? CallView : UnknownView);

/** The parts of one answer, in their order. */
export class PartsView {
  element = h('div', { class: 'parts' });
  #parts = [];
  #views = [];

  update(parts) {
    if (parts === this.#parts) return;
    parts.forEach((part, i) => {
      if (part === this.#parts[i]) return;
      if (this.#parts[i]?.type !== part.type) this.#place(i, new (viewFor(part.type))());
      this.#views[i].update(part);
    });
    for (const view of this.#views.splice(parts.length)) view.element.remove();
    this.#parts = parts;
  }

  #place(i, view) {
    if (this.#views[i]) this.#views[i].element.replaceWith(view.element);
    else this.element.append(view.element);
    this.#views[i] = view;
  }
}
