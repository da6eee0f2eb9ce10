// Compares an answer with what a perfect connection would have shown. The server knows: it wrote the run.
import { readTruth } from './control.js';

// JSON whose members are in order, so that equal values are equal texts.
const canonical = (value) => {
  if (Array.isArray(value)) return `[${value.map(canonical).join()}]`;
  if (value === null || typeof value !== 'object') return JSON.stringify(value) ?? 'null';
  return `{${Object.keys(value).sort().map((key) => `${JSON.stringify(key)}:${canonical(value[key])}`).join()}}`;
};

/** 'identical', 'different', or 'unknown' when the server cannot say. */
export const prove = async ({ runId, parts }) => {
  try {
    const truth = await readTruth(runId);
    return canonical(truth.parts) === canonical(parts) ? 'identical' : 'different';
  } catch {
    return 'unknown';
  }
};
