// A transcript as most applications keep it in a store: each event makes a new state out of the old one, and copies what it changes.

export const INITIAL = { status: 'pending', text: '', parts: [], blocks: [], textAt: -1, reasoningAt: -1 };

const closeReasoning = (state) => (state.reasoningAt < 0 ? state : {
  ...state, reasoningAt: -1, parts: state.parts.with(state.reasoningAt, { ...state.parts[state.reasoningAt], state: 'done' }),
});

const closeText = (state) => {
  if (state.textAt < 0) return state;
  const part = { ...state.parts[state.textAt], state: 'done' };
  return { ...state, textAt: -1, parts: state.parts.with(state.textAt, part), blocks: state.blocks.with(-1, part) };
};

const close = (state) => closeReasoning(closeText(state));

const say = (state, content) => {
  if (!content) return state;
  const open = closeReasoning(state);
  const text = open.text + content;
  if (open.textAt < 0) {
    const part = { type: 'text', seq: open.blocks.length, text: content, state: 'streaming' };
    return { ...open, text, textAt: open.parts.length, parts: [...open.parts, part], blocks: [...open.blocks, part] };
  }
  const old = open.parts[open.textAt];
  const part = { ...old, text: old.text + content };
  return { ...open, text, parts: open.parts.with(open.textAt, part), blocks: open.blocks.with(-1, part) };
};

const think = (state, content) => {
  if (!content) return state;
  if (state.reasoningAt < 0) {
    const part = { type: 'reasoning', text: content, state: 'streaming' };
    return { ...state, reasoningAt: state.parts.length, parts: [...state.parts, part] };
  }
  const old = state.parts[state.reasoningAt];
  return { ...state, parts: state.parts.with(state.reasoningAt, { ...old, text: old.text + content }) };
};

const startTool = (state, { callId = null, name = null, agentName = null, arguments: args = null }) => {
  const open = close(state);
  const part = { type: 'tool', callId, name, agentName, arguments: args, result: null, error: null, durationMs: null, state: 'running' };
  return { ...open, parts: [...open.parts, part] };
};

const endTool = (state, tool) => {
  const at = state.parts.findLastIndex(({ type, callId }) => type === 'tool' && callId === tool.callId);
  return { ...state, parts: state.parts.with(at, { ...state.parts[at], ...tool, state: tool.error ? 'failed' : 'done' }) };
};

/** The state after one event. It knows the events that the wire here has, and checks none of them. */
export const reduce = (state, type, payload) => {
  switch (type) {
    case 'content': return say(state, payload.content);
    case 'thinking': return think(state, payload.content);
    case 'text_block_end': return closeText(state);
    case 'tool_start': return startTool(state, payload.tool);
    case 'tool_end': return endTool(state, payload.tool);
    case 'done': return { ...close(state), status: 'completed' };
    default: return state;
  }
};
