// Compares an answer with what a perfect connection would have shown. The server knows: it wrote the run.
import { readTruth } from './control.js';

// JSON whose members are in order, so that equal values are equal texts.
const canonical = (value) => {
  if (Array.isArray(value)) return `[${value.map(canonical).join()}]`;
  if (value === null || typeof value !== 'object') return JSON.stringify(value) ?? 'null';
  return `{${Object.keys(value).sort().map((key) => `${JSON.stringify(key)}:${canonical(value[key])}`).join()}}`;
};

// Ours says of some parts more than their protocol does: the number of a block, say.
const asSaidBy = (truth, part = {}) => Object.fromEntries(Object.keys(truth).map((name) => [name, part[name]]));

/** 'identical', 'different', or 'unknown' when the server cannot say. `protocol`: with `ui-message` a run has its session's name alone. */
export const prove = async ({ runId, sessionId, parts }, protocol) => {
  // The machine may have slept through the time that a request has.
  for (let tries = 0; tries < 3; tries += 1) {
    try {
      const truth = await readTruth(protocol === 'ui-message' ? { sessionId } : { runId });
      const said = truth.parts.map((part, i) => asSaidBy(part, parts[i]));
      return truth.parts.length === parts.length && canonical(truth.parts) === canonical(said) ? 'identical' : 'different';
    } catch {
      // Once more.
    }
  }
  return 'unknown';
};
