// What must be right at the end, whoever got there: one hash over the whole of it.

const TOOL = ['callId', 'name', 'agentName', 'arguments', 'result', 'error', 'durationMs', 'state'];

/** The comparable part of a snapshot in the model of parts. */
export const summarize = ({ status, text, parts, blocks }) => ({
  status,
  text,
  reasoning: parts.filter(({ type }) => type === 'reasoning').map((part) => part.text).join(''),
  tools: parts.filter(({ type }) => type === 'tool'),
  blocks: blocks.length,
});

const toHex = (buffer) => [...new Uint8Array(buffer)].map((byte) => byte.toString(16).padStart(2, '0')).join('');

/** The hash of a value that JSON can hold. */
export const digest = async (value) =>
  toHex(await crypto.subtle.digest('SHA-256', new TextEncoder().encode(JSON.stringify(value))));

export const hash = ({ status, text, reasoning, tools, blocks }) =>
  digest([status, text, reasoning, tools.map((tool) => TOOL.map((key) => tool[key] ?? null)), blocks]);

/** Says in what two states differ, for the report of a wrong answer. */
export const difference = (got, wanted) => {
  const wrong = Object.keys(wanted).filter((key) => JSON.stringify(got[key]) !== JSON.stringify(wanted[key]));
  const short = (value) => (JSON.stringify(value) ?? 'undefined').slice(0, 60);
  return wrong.map((key) => `${key}: ${short(got[key])} instead of ${short(wanted[key])}`).join('; ') || 'the hash';
};
