// What must be right at the end of a run in AG-UI's events, which know neither agents nor durations: see truth.js.
import { digest } from './truth.js';

/** `tools`: `{ callId, name, arguments, result, error }`. */
export const summarize = ({ status, text, reasoning, tools }) => ({
  status, text, reasoning,
  tools: tools.map(({ callId, name, arguments: args, result, error }) => ({ callId, name, arguments: args, result: result ?? error })),
});

export const hash = (state) => digest(Object.values(summarize(state)));
