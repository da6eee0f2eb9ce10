// The run of wire.js in AG-UI's events.

/** Of each event of a bichat run what AG-UI says instead. */
const createTranslator = () => {
  let text;
  let reasoning;
  let count = 0;
  const closeReasoning = () => {
    if (!reasoning) return [];
    const messageId = reasoning;
    reasoning = undefined;
    return [{ type: 'REASONING_MESSAGE_END', messageId }, { type: 'REASONING_END', messageId }];
  };
  const closeText = () => {
    if (!text) return [];
    const messageId = text;
    text = undefined;
    return [{ type: 'TEXT_MESSAGE_END', messageId }];
  };
  const say = (delta) => {
    const events = closeReasoning();
    if (!text) {
      text = `text-${count++}`;
      events.push({ type: 'TEXT_MESSAGE_START', messageId: text, role: 'assistant' });
    }
    return [...events, { type: 'TEXT_MESSAGE_CONTENT', messageId: text, delta }];
  };
  const think = (delta) => {
    const events = closeText();
    if (!reasoning) {
      reasoning = `reasoning-${count++}`;
      events.push({ type: 'REASONING_START', messageId: reasoning }, { type: 'REASONING_MESSAGE_START', messageId: reasoning, role: 'reasoning' });
    }
    return [...events, { type: 'REASONING_MESSAGE_CONTENT', messageId: reasoning, delta }];
  };
  const close = () => [...closeReasoning(), ...closeText()];
  const run = { threadId: 't-1', runId: 'r-1' };
  return {
    first: { type: 'RUN_STARTED', ...run },
    of({ type, content, tool }) {
      switch (type) {
        case 'content': return say(content);
        case 'thinking': return think(content);
        case 'text_block_end': return closeText();
        case 'tool_start': return [
          ...close(), { type: 'TOOL_CALL_START', toolCallId: tool.callId, toolCallName: tool.name },
          { type: 'TOOL_CALL_ARGS', toolCallId: tool.callId, delta: tool.arguments }, { type: 'TOOL_CALL_END', toolCallId: tool.callId },
        ];
        case 'tool_end': return [{
          type: 'TOOL_CALL_RESULT', messageId: `result-${count++}`, toolCallId: tool.callId, content: tool.result ?? tool.error, role: 'tool',
        }];
        case 'done': return [...close(), { type: 'RUN_FINISHED', ...run }];
        default: return [];
      }
    },
  };
};

/** `run`: what createRun gave, on the usual wire. The same members. */
export const translateToAgUi = ({ bytes, lengths, truth }) => {
  const encoder = new TextEncoder();
  const translator = createTranslator();
  const write = (events) => events.map((event) => `data: ${JSON.stringify(event)}\n\n`).join('');
  const pieces = [encoder.encode(write([translator.first]))];
  const ends = new Uint32Array(lengths.length);
  let size = pieces[0].length;
  let count = 0;
  for (const line of new TextDecoder().decode(bytes).split('\n')) {
    if (!line.startsWith('data: ')) continue;
    const piece = encoder.encode(write(translator.of(JSON.parse(line.slice(6)))));
    pieces.push(piece);
    size += piece.length;
    ends[count++] = size;
  }
  const all = new Uint8Array(size);
  let at = 0;
  for (const piece of pieces) {
    all.set(piece, at);
    at += piece.length;
  }
  return { bytes: all, ends, lengths, truth };
};
