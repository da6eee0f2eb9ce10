// The bytes of one tool call whose input streams in small pieces, each event a chunk of its own: as a UI message stream, and as
// the same run in AG-UI's events.
import { createChance } from './chance.js';
import { createTokens } from './prose.js';

const PIECE = 16;
const NAME = 'edit_file';
const CALL = 'call_1';

const sentence = (token, length) => {
  let text = '';
  while (text.length < length) text += token();
  return text;
};

/** An input of exactly `length` units of JSON: a few members, then edits, each with prose and code in it. */
const createInput = (length, chance) => {
  const token = createTokens(chance, 0);
  const input = { path: 'src/reader.rs', isDryRun: false, tolerance: 0.25, edits: [], rest: '' };
  let left = length - JSON.stringify(input).length;
  for (;;) {
    const edit = {
      line: chance.between(1, 9000), old: sentence(token, 60), new: sentence(token, 90), reason: { text: sentence(token, 40), weight: chance.next() },
    };
    left -= JSON.stringify(edit).length + 1;
    if (left < 0) break;
    input.edits.push(edit);
  }
  input.rest = 'x'.repeat(length - JSON.stringify(input).length);
  return input;
};

const DIALECTS = {
  'ui-message': (pieces, input) => ({
    before: [
      { type: 'start', messageId: 'm-1' },
      { type: 'start-step' },
      { type: 'tool-input-start', toolCallId: CALL, toolName: NAME },
    ],
    deltas: pieces.map((inputTextDelta) => ({ type: 'tool-input-delta', toolCallId: CALL, inputTextDelta })),
    after: [
      { type: 'tool-input-available', toolCallId: CALL, toolName: NAME, input },
      { type: 'finish-step' },
      { type: 'finish', finishReason: 'tool-calls' },
    ],
    last: 'data: [DONE]\n\n',
  }),
  'ag-ui': (pieces) => {
    const run = { threadId: 't-1', runId: 'r-1' };
    return {
      before: [
        { type: 'RUN_STARTED', ...run },
        { type: 'TOOL_CALL_START', toolCallId: CALL, toolCallName: NAME, parentMessageId: 'm-1' },
      ],
      deltas: pieces.map((delta) => ({ type: 'TOOL_CALL_ARGS', toolCallId: CALL, delta })),
      after: [{ type: 'TOOL_CALL_END', toolCallId: CALL }, { type: 'RUN_FINISHED', ...run }],
      last: '',
    };
  },
};

/**
 * `truth`: the call's name and its whole input. `lengthAfter(n)`: how much of the input's JSON has come with n deltas.
 * `speak(protocol)`: the bytes, a chunk for each event.
 */
export const createToolRun = ({ deltas, seed = 7 }) => {
  const input = createInput(deltas * PIECE, createChance(seed));
  const json = JSON.stringify(input);
  const pieces = Array.from({ length: deltas }, (_, i) => json.slice(i * PIECE, (i + 1) * PIECE));
  const encoder = new TextEncoder();
  const write = (event) => encoder.encode(`data: ${JSON.stringify(event)}\n\n`);
  return {
    truth: { name: NAME, input },
    lengthAfter: (count) => count * PIECE,
    /** `first`: the index of the first delta's chunk. */
    speak(protocol) {
      const { before, deltas: middle, after, last } = DIALECTS[protocol](pieces, input);
      const chunks = [...before, ...middle, ...after].map(write);
      if (last) chunks.push(encoder.encode(last));
      return { chunks, first: before.length };
    },
  };
};
