// The bytes of one bichat run as a server's event log sends them, in several dialects of the same JSON and the same SSE, and
// what a client must have understood at their end.
import { createChance } from './chance.js';
import { createCall, createTokens } from './prose.js';

const RUN_ID = '0b1f6a3e-7c1d-4a57-9a53-3b1f4f3f9d11';
const FIRST_MS = 1_762_000_000_000;
/** Events from one tool call to the next: reasoning first, then text. */
const STRETCH = 150;
const REASONING = 18;

const escapeUnit = (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`;
const JSON_STRING = {
  plain: (text) => JSON.stringify(text),
  // As Go's encoder writes it, and with it the real server.
  html: (text) => JSON.stringify(text).replace(/[<>&\u2028\u2029]/g, escapeUnit),
  ascii: (text) => JSON.stringify(text).replace(/[^\x00-\x7e]/g, escapeUnit),
};

/** `order`: of the payload's members. `foreign`: the share of sentences that are not English. */
const USUAL = { string: 'html', order: 'usual', spaces: false, end: '\n', ids: true, foreign: 0.13 };

export const WIRES = {
  canonical: USUAL,
  'timestamp last': { ...USUAL, order: 'timestamp-last' },
  'timestamp first': { ...USUAL, order: 'timestamp-first' },
  '\\u escapes': { ...USUAL, string: 'ascii' },
  unescaped: { ...USUAL, string: 'plain' },
  'other scripts, unescaped': { ...USUAL, string: 'plain', foreign: 1 },
  CRLF: { ...USUAL, end: '\r\n' },
  'spaces in JSON': { ...USUAL, spaces: true },
  'no ids': { ...USUAL, ids: false },
  'keys reversed': { ...USUAL, order: 'reversed' },
  // Another order in every frame: nothing to learn from the frame before.
  'keys shuffled': { ...USUAL, order: 'shuffled' },
};

const moveTo = (members, key, index) => {
  const at = members.findIndex(([name]) => name === key);
  members.splice(index, 0, ...members.splice(at, 1));
  return members;
};

const createWriter = (wire, chance) => {
  const string = JSON_STRING[wire.string];
  const [open, colon, comma, close] = wire.spaces ? ['{ ', ': ', ', ', ' }'] : ['{', ':', ',', '}'];
  const value = (it) => (typeof it === 'string' ? string(it) : typeof it === 'object' && it !== null ? object(Object.entries(it)) : `${it}`);
  const object = (members) => open + members.map(([key, it]) => `"${key}"${colon}${value(it)}`).join(comma) + close;
  const order = {
    usual: (members) => members,
    'timestamp-last': (members) => moveTo(members, 'timestamp', members.length),
    'timestamp-first': (members) => moveTo(members, 'timestamp', 0),
    reversed: (members) => members.reverse(),
    shuffled: (members) => chance.shuffle(members),
  }[wire.order];
  const { end } = wire;
  return (id, name, payload) =>
    `${wire.ids ? `id: ${id}${end}` : ''}event: ${name}${end}data: ${object(order(Object.entries(payload)))}${end}${end}`;
};

/**
 * A run of `events` events. `bytes`: all of it; `ends[i]`: where frame i ends; `lengths[i]`: the answer's length after it, in
 * UTF-16 units; `truth`: the final state.
 */
export const createRun = ({ events, wire = 'canonical', seed = 7 }) => {
  const chance = createChance(seed);
  const style = WIRES[wire];
  const token = createTokens(chance, style.foreign);
  // Its own chance, so that every wire says the same.
  const write = createWriter(style, createChance(seed + 1));
  const encoder = new TextEncoder();

  const pieces = [encoder.encode(`: stream-open${style.end}${style.end}`)];
  const ends = new Uint32Array(events);
  const lengths = new Uint32Array(events);
  const truth = { status: 'completed', text: '', reasoning: '', tools: [], blocks: 0 };
  let size = pieces[0].length;
  let ms = FIRST_MS;
  let seq = 0;
  let count = 0;
  let hasText = false;
  let call;

  const emit = (type, members) => {
    // Now and then two events share a millisecond.
    if (chance.next() < 0.1) seq += 1;
    else [ms, seq] = [ms + chance.between(1, 40), 0];
    const { textBlockSeq, ...first } = members;
    const payload = { type, ...first, timestamp: ms, runId: RUN_ID, ...(textBlockSeq !== undefined && { textBlockSeq }) };
    const heartbeat = count % 1000 === 999 ? `: ping${style.end}${style.end}` : '';
    const bytes = encoder.encode(heartbeat + write(`${ms}-${seq}`, type, payload));
    pieces.push(bytes);
    size += bytes.length;
    ends[count] = size;
    lengths[count] = truth.text.length;
    count += 1;
  };
  const say = (type) => {
    const content = token();
    if (type === 'content') {
      truth.text += content;
      if (!hasText) truth.blocks += 1;
      hasText = true;
    } else {
      truth.reasoning += content;
    }
    emit(type, { content });
  };

  // The last text has no end of its block; usage and the terminal event follow it.
  const body = events - 2;
  while (count < body) {
    const at = count % STRETCH;
    const callFits = count - at + STRETCH + 1 < body;
    if (!callFits || at < STRETCH - 3) {
      say(at < REASONING && callFits ? 'thinking' : 'content');
    } else if (at === STRETCH - 3) {
      emit('text_block_end', { textBlockSeq: truth.blocks - 1 });
      hasText = false;
    } else if (at === STRETCH - 2) {
      call = createCall(chance, truth.tools.length);
      const { result, error, durationMs, ...started } = call;
      emit('tool_start', { tool: started });
    } else {
      const { arguments: _, result, error, ...ended } = call;
      emit('tool_end', { tool: { ...ended, ...(error === null ? { result } : { error }) } });
      truth.tools.push({ agentName: null, ...call, state: call.error === null ? 'done' : 'failed' });
    }
  }
  emit('usage', { usage: { promptTokens: 812, completionTokens: count, totalTokens: 812 + count, cachedTokens: 640, cost: 0.0125 } });
  emit('done', { generationMs: ms - FIRST_MS });

  const bytes = new Uint8Array(size);
  let at = 0;
  for (const piece of pieces) {
    bytes.set(piece, at);
    at += piece.length;
  }
  return { bytes, ends, lengths, truth };
};
