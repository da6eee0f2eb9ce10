// The bytes of one answer as a UI message stream, and what a client must have understood at their end: the run of wire.js in the
// AI SDK's own protocol. Reasoning, text, tool calls whose input streams, steps.
import { createChance } from './chance.js';
import { createCall, createTokens } from './prose.js';

/** About so many chunks from one tool call to the next: reasoning first, then text. */
const STRETCH = 150;
const REASONING = 18;
const PIECE = 16;
const FOREIGN = 0.13;

const pieces = (text) => text.match(new RegExp(`.{1,${PIECE}}`, 'gsu'));

/**
 * An answer of `events` chunks, [DONE] not counted. `bytes`: all of it; `ends[i]`: where frame i ends; `lengths[i]`: the length of
 * all text after it, in UTF-16 units; `truth`: the final state.
 */
export const createUiRun = ({ events, seed = 7 }) => {
  const chance = createChance(seed);
  const token = createTokens(chance, FOREIGN);
  const encoder = new TextEncoder();
  const frames = [];
  const ends = new Uint32Array(events);
  const lengths = new Uint32Array(events);
  const truth = { status: 'completed', text: '', parts: [] };
  let size = 0;
  let count = 0;
  let open;

  const write = (data) => {
    const bytes = encoder.encode(`data: ${data}\n\n`);
    frames.push(bytes);
    size += bytes.length;
  };
  const emit = (chunk) => {
    write(JSON.stringify(chunk));
    ends[count] = size;
    lengths[count] = truth.text.length;
    count += 1;
  };
  const end = () => {
    if (!open) return;
    emit({ type: `${open.type}-end`, id: open.id });
    truth.parts.push({ type: open.type, text: open.text, state: 'done' });
    open = undefined;
  };
  const say = (type) => {
    if (open?.type !== type) {
      end();
      open = { type, id: `${type}-${count}`, text: '' };
      emit({ type: `${type}-start`, id: open.id });
    }
    const delta = token();
    open.text += delta;
    if (type === 'text') truth.text += delta;
    emit({ type: `${type}-delta`, id: open.id, delta });
  };
  const call = ({ callId: toolCallId, name: toolName, arguments: json, result, error }) => {
    const input = JSON.parse(json);
    emit({ type: 'tool-input-start', toolCallId, toolName });
    for (const inputTextDelta of pieces(json)) emit({ type: 'tool-input-delta', toolCallId, inputTextDelta });
    emit({ type: 'tool-input-available', toolCallId, toolName, input });
    const outcome = error === null ? { output: { rows: result } } : { errorText: error };
    emit({ type: error === null ? 'tool-output-available' : 'tool-output-error', toolCallId, ...outcome });
    truth.parts.push({ type: `tool-${toolName}`, state: error === null ? 'output-available' : 'output-error', toolCallId, input, ...outcome });
  };
  const startStep = () => {
    emit({ type: 'start-step' });
    truth.parts.push({ type: 'step-start' });
  };

  emit({ type: 'start', messageId: 'm-1' });
  startStep();
  let calls = 0;
  // What ends a text, a step and the answer.
  const body = events - 3;
  while (count < body) {
    const stretchEnd = Math.min(count + STRETCH, body);
    const hasCall = stretchEnd < body - STRETCH;
    const textFrom = hasCall ? count + REASONING : count;
    while (count < stretchEnd) say(count < textFrom ? 'reasoning' : 'text');
    if (!hasCall) continue;
    end();
    call(createCall(chance, calls++));
    emit({ type: 'finish-step' });
    startStep();
  }
  end();
  emit({ type: 'finish-step' });
  emit({ type: 'finish', finishReason: 'stop' });
  write('[DONE]');

  const bytes = new Uint8Array(size);
  let at = 0;
  for (const frame of frames) {
    bytes.set(frame, at);
    at += frame.length;
  }
  return { bytes, ends, lengths, truth };
};
