// Random valid streams by seed: every kind of chunk, in every order that the reducer takes. The same seed always gives the same.

import { Chance } from '../e2e/support/schedule.mjs';
import { cut, idOf, metadataOf, objectOf, providerMetadataOf, styleOf, textOf, valueOf } from './values.mjs';

const TOOLS = ['sql', 'web-search', 'get_weather', 'инструмент', '__proto__', 'a'];
const CALLS = ['c1', 'c2', 'call_3', '__proto__', 'constructor', 'вызов'];
const APPROVALS = ['ap1', 'ap2', 'toString'];
const REASONS = ['stop', 'length', 'content-filter', 'tool-calls', 'error', 'other'];
/** Half a JSON text, and what never becomes one. */
const BROKEN = ['{"a": tru', '{"a":1}}', '{a:1}', '[1,,2]', 'nonsense', '{"a":"\\x"}', '  ', '"\\ud83d', '-', '01', '{"a":1 "b":2}'];

/** The same pieces, the first half of a character moved to where its second is. */
function wholeCharacters(pieces) {
  let half = '';
  return pieces.map((piece) => {
    const text = half + piece;
    half = /[\ud800-\udbff]$/.test(text) ? text.at(-1) : '';
    return text.slice(0, text.length - half.length);
  });
}

/** What the reducer would know of the stream so far, as far as it decides which chunks are valid next. */
class Stream {
  chunks = [];
  #chance;
  #active = { text: new Set(), reasoning: new Set() };
  /** By call: the pieces of input that are still to come, none when it is whole. */
  #inputs = new Map();
  /** The tool parts: call, step, kind, approval. */
  #calls = [];
  #step = 0;

  constructor(chance) {
    this.#chance = chance;
  }

  #push(chunk) {
    this.chunks.push(chunk);
  }

  #maybe(percent, members) {
    return this.#chance.is(percent) ? members() : {};
  }

  #pm() {
    return this.#maybe(15, () => ({ providerMetadata: providerMetadataOf(this.#chance) }));
  }

  #findCall(toolCallId) {
    return this.#calls.find((call) => call.toolCallId === toolCallId && call.step === this.#step) ??
      this.#calls.findLast((call) => call.toolCallId === toolCallId);
  }

  /** The part that an input chunk makes or changes. */
  #takeCall(toolCallId, isDynamic) {
    const known = this.#calls.find((call) => call.toolCallId === toolCallId && call.step === this.#step && call.isDynamic === isDynamic);
    if (!known) this.#calls.push({ toolCallId, isDynamic, step: this.#step, approvalId: null });
  }

  // ------------------------------------------------------------------------------------------------------- text and reasoning

  #start(kind) {
    const id = idOf(this.#chance);
    this.#active[kind].add(id);
    this.#push({ type: `${kind}-start`, id, ...this.#pm() });
  }

  #delta(kind) {
    const id = this.#chance.pick([...this.#active[kind]]);
    for (const delta of cut(this.#chance, textOf(this.#chance))) this.#push({ type: `${kind}-delta`, id, delta, ...this.#pm() });
  }

  #end(kind) {
    const id = this.#chance.pick([...this.#active[kind]]);
    this.#active[kind].delete(id);
    const citations = kind === 'text' ? this.#maybe(5, () => ({ citations: [{ source: { type: 'source', sourceType: 'url', id: 's', url: 'https://a.example' }, startIndex: 1 }] })) : {};
    this.#push({ type: `${kind}-end`, id, ...citations, ...this.#pm() });
  }

  // ------------------------------------------------------------------------------------------------------------------- tools

  #toolMembers() {
    return {
      ...this.#maybe(15, () => ({ providerExecuted: this.#chance.is(70) })),
      ...this.#maybe(15, () => ({ toolMetadata: objectOf(this.#chance, 2) })),
      ...this.#maybe(10, () => ({ dynamic: this.#chance.is(50) })),
      ...this.#pm(),
    };
  }

  #titled() {
    return this.#maybe(20, () => ({ title: textOf(this.#chance) }));
  }

  startInput() {
    const toolCallId = this.#chance.pick(CALLS);
    const isDynamic = this.#chance.is(35);
    const json = this.#chance.is(15) ? this.#chance.pick(BROKEN) : JSON.stringify(valueOf(this.#chance, 4), null, this.#chance.pick([0, 0, 1, '\t']));
    const isText = this.#chance.is(8);
    // Halves of characters are the matter of texts; a rule has those of an input.
    const pieces = wholeCharacters(cut(this.#chance, (isText ? textOf(this.#chance) : json).toWellFormed(), 12));
    this.#inputs.set(toolCallId, { pieces, isDynamic });
    this.#takeCall(toolCallId, isDynamic);
    this.#push({
      type: 'tool-input-start', toolCallId, toolName: this.#chance.pick(TOOLS), ...this.#toolMembers(), ...this.#titled(),
      dynamic: isDynamic || (this.#chance.is(10) ? false : undefined),
      inputEncoding: isText ? 'text' : this.#chance.pick([undefined, undefined, 'json']),
    });
  }

  hasInput() {
    return this.#inputs.size > 0;
  }

  /** More of it, or, where all of it has come, something behind it: until the call is further than that. */
  input() {
    const toolCallId = this.#chance.pick([...this.#inputs.keys()]);
    const { pieces, isDynamic } = this.#inputs.get(toolCallId);
    if (pieces.length === 0 && this.#chance.is(80)) return;
    for (let times = this.#chance.between(1, 4); times > 0; times--) {
      // In a later step the part is a new one.
      this.#takeCall(toolCallId, isDynamic);
      this.#push({ type: 'tool-input-delta', toolCallId, inputTextDelta: pieces.shift() ?? this.#chance.pick(['', ' ', '}', 'x']) });
      if (pieces.length === 0) return;
    }
  }

  /** Of a call whose input was streamed, mostly: else of one that nobody has heard of. */
  inputAvailable() {
    const streamed = this.#inputs.size > 0 && this.#chance.is(70) ? this.#chance.pick([...this.#inputs.entries()]) : null;
    const toolCallId = streamed ? streamed[0] : this.#chance.pick(CALLS);
    const isDynamic = streamed && this.#chance.is(85) ? streamed[1].isDynamic : this.#chance.is(35);
    this.#takeCall(toolCallId, isDynamic);
    this.#inputs.delete(toolCallId);
    this.#push({
      type: 'tool-input-available', toolCallId, toolName: this.#chance.pick(TOOLS), input: valueOf(this.#chance),
      ...this.#toolMembers(), ...this.#titled(), dynamic: isDynamic || undefined,
    });
  }

  inputError() {
    const toolCallId = this.#chance.pick(CALLS);
    const known = this.#calls.find((call) => call.toolCallId === toolCallId && call.step === this.#step);
    const dynamic = this.#chance.pick([undefined, true, false]);
    this.#takeCall(toolCallId, known ? known.isDynamic : Boolean(dynamic));
    this.#inputs.delete(toolCallId);
    this.#push({
      type: 'tool-input-error', toolCallId, toolName: this.#chance.pick(TOOLS), input: valueOf(this.#chance), errorText: textOf(this.#chance),
      ...this.#toolMembers(), ...this.#titled(), dynamic,
    });
  }

  hasCall() {
    return this.#calls.length > 0;
  }

  #someCall() {
    const { toolCallId } = this.#chance.pick(this.#calls);
    this.#inputs.delete(toolCallId);
    return toolCallId;
  }

  output() {
    const toolCallId = this.#someCall();
    for (let times = this.#chance.pick([0, 0, 1, 3]); times > 0; times--) {
      this.#push({ type: 'tool-output-available', toolCallId, output: valueOf(this.#chance), ...this.#toolMembers(), preliminary: true });
    }
    this.#push({
      type: 'tool-output-available', toolCallId, output: valueOf(this.#chance), ...this.#toolMembers(),
      ...this.#maybe(10, () => ({ preliminary: this.#chance.is(50) })),
    });
  }

  outputError() {
    this.#push({ type: 'tool-output-error', toolCallId: this.#someCall(), errorText: textOf(this.#chance), ...this.#toolMembers() });
  }

  denied() {
    this.#push({ type: 'tool-output-denied', toolCallId: this.#someCall() });
  }

  approvalRequest() {
    const toolCallId = this.#someCall();
    const approvalId = this.#chance.pick(APPROVALS);
    this.#findCall(toolCallId).approvalId = approvalId;
    this.#push({
      type: 'tool-approval-request', approvalId, toolCallId,
      ...this.#maybe(30, () => ({ isAutomatic: this.#chance.is(60) })),
      ...this.#maybe(30, () => ({ signature: textOf(this.#chance) })),
      ...this.#maybe(10, () => ({ reason: textOf(this.#chance) })),
      ...this.#maybe(10, () => ({ approvalDescriptor: valueOf(this.#chance, 2) })),
      ...this.#maybe(10, () => ({ inputSchemaInput: valueOf(this.#chance, 2) })),
    });
  }

  hasApproval() {
    return this.#calls.some(({ approvalId }) => approvalId !== null);
  }

  approvalResponse() {
    const { approvalId } = this.#chance.pick(this.#calls.filter((call) => call.approvalId !== null));
    this.#calls.filter((call) => call.approvalId === approvalId).forEach((call) => this.#inputs.delete(call.toolCallId));
    this.#push({
      type: 'tool-approval-response', approvalId, approved: this.#chance.is(50),
      ...this.#maybe(30, () => ({ reason: textOf(this.#chance) })),
      ...this.#maybe(20, () => ({ providerExecuted: this.#chance.is(50) })),
      ...this.#pm(),
    });
  }

  // ----------------------------------------------------------------------------------------------------- what comes in one piece

  source() {
    this.#push(this.#chance.is(50)
      ? { type: 'source-url', sourceId: idOf(this.#chance), url: 'https://a.example/?q=ü', ...this.#titled(), ...this.#pm() }
      : { type: 'source-document', sourceId: idOf(this.#chance), mediaType: 'application/pdf', title: textOf(this.#chance), ...this.#maybe(50, () => ({ filename: 'a b.pdf' })), ...this.#pm() });
  }

  file() {
    this.#push({ type: this.#chance.pick(['file', 'reasoning-file']), url: 'data:image/png;base64,iVBORw0KGgo=', mediaType: 'image/png', ...this.#pm() });
  }

  custom() {
    this.#push({ type: 'custom', kind: this.#chance.pick(['openai.compaction', 'a.b', 'nothing']), ...this.#pm() });
  }

  /** Few names and few ids, so that they meet again; what is transient has ids, too. */
  data() {
    this.#push({
      type: `data-${this.#chance.pick(['weather', 'progress', '__proto__', ''])}`, data: valueOf(this.#chance),
      ...this.#maybe(60, () => ({ id: this.#chance.pick(['1', '2', '__proto__', '']) })),
      ...this.#maybe(25, () => ({ transient: this.#chance.is(70) })),
      ...this.#maybe(10, () => ({ note: valueOf(this.#chance, 1) })),
    });
  }

  steering() {
    this.#push({ type: 'steering-message', id: idOf(this.#chance), parts: [{ type: 'text', text: textOf(this.#chance) }] });
  }

  // --------------------------------------------------------------------------------------------------------- the message, its steps

  #metadata(percent) {
    return this.#maybe(percent, () => ({ messageMetadata: this.#chance.is(90) ? metadataOf(this.#chance) : null }));
  }

  messageMetadata() {
    this.#push({ type: 'message-metadata', ...this.#metadata(100) });
  }

  start() {
    this.#push({ type: 'start', ...this.#maybe(60, () => ({ messageId: 'message-1' })), ...this.#metadata(40) });
  }

  startStep() {
    this.#step += 1;
    this.#push({ type: 'start-step' });
  }

  finishStep() {
    this.#push({ type: 'finish-step' });
  }

  resetStep() {
    this.#active.text.clear();
    this.#active.reasoning.clear();
    this.#inputs.clear();
    this.#calls = this.#calls.filter(({ step }) => step !== this.#step);
    this.#push({ type: 'reset-step' });
  }

  finish() {
    this.#push({ type: 'finish', ...this.#maybe(70, () => ({ finishReason: this.#chance.pick(REASONS) })), ...this.#metadata(40) });
  }

  abort() {
    this.#push({ type: 'abort', ...this.#maybe(50, () => ({ reason: textOf(this.#chance) })) });
  }

  error() {
    this.#push({ type: 'error', errorText: textOf(this.#chance) });
  }

  /** What may come next, by weight. */
  next() {
    const { text, reasoning } = this.#active;
    const acts = [
      [6, true, () => this.#start('text')],
      [14, text.size > 0, () => this.#delta('text')],
      [5, text.size > 0, () => this.#end('text')],
      [4, true, () => this.#start('reasoning')],
      [10, reasoning.size > 0, () => this.#delta('reasoning')],
      [4, reasoning.size > 0, () => this.#end('reasoning')],
      [8, true, () => this.startInput()],
      [20, this.hasInput(), () => this.input()],
      [7, true, () => this.inputAvailable()],
      [2, true, () => this.inputError()],
      [8, this.hasCall(), () => this.output()],
      [3, this.hasCall(), () => this.outputError()],
      [1, this.hasCall(), () => this.denied()],
      [3, this.hasCall(), () => this.approvalRequest()],
      [5, this.hasApproval(), () => this.approvalResponse()],
      [2, true, () => this.source()],
      [2, true, () => this.file()],
      [1, true, () => this.custom()],
      [6, true, () => this.data()],
      [1, true, () => this.steering()],
      [3, true, () => this.messageMetadata()],
      [1, true, () => this.start()],
      [4, true, () => this.startStep()],
      [3, true, () => this.finishStep()],
      [1, true, () => this.resetStep()],
    ].filter(([, isValid]) => isValid);
    let at = this.#chance.between(1, acts.reduce((sum, [weight]) => sum + weight, 0));
    acts.find(([weight]) => (at -= weight) <= 0)[2]();
  }
}

/** `frames` are the JSON texts of the chunks, in the writing of one server. */
export function sequenceOf(seed) {
  const chance = new Chance(seed);
  const stream = new Stream(chance);
  if (chance.is(90)) stream.start();
  for (let times = chance.between(1, 60); times > 0; times--) stream.next();
  chance.pick([() => stream.finish(), () => stream.finish(), () => stream.finish(), () => stream.abort(), () => stream.error(), () => {}])();
  const { chunks } = stream;
  return { seed, chunks, frames: chunks.map(styleOf(chance)) };
}
