// What a ChunkBatcher and a generation are given, parsed once.
import { invalid } from '../errors.js';
import { requireFunction, requireNumber, requireSignal } from '../options.js';

const isObject = (value) => typeof value === 'object' && value !== null && !Array.isArray(value);

/** name -> [default, may be Infinity, least if it is to be whole] */
const GATHERING = {
  lingerMs: [5],
  maxBatchSize: [50, false, 1],
  maxBufferSize: [2000, false, 2],
  maxRetries: [3, true, 0],
  baseDelayMs: [50],
  abortFlushMs: [2000],
};

/** `path`: in front of each name, with a dot. `others`: names that somebody else reads. */
export const readNumbers = (path, given, table, others = []) => {
  if (!isObject(given)) throw invalid(path.slice(0, -1) || 'options', given, 'an object');
  for (const name of Object.keys(given)) {
    if (!(name in table) && !others.includes(name)) throw invalid(path + name, given[name], 'no option of this name');
  }
  const read = {};
  for (const [name, [fallback, mayBeInfinite, least]] of Object.entries(table)) {
    const value = given[name] ?? fallback;
    requireNumber(path + name, value, mayBeInfinite);
    if (least !== undefined && (value < least || (value < Infinity && !Number.isInteger(value)))) {
      throw invalid(path + name, value, `a whole number >= ${least}`);
    }
    read[name] = value;
  }
  return read;
};

/** How chunks are gathered. */
export const readGathering = (path, given, others) => {
  const read = readNumbers(path, given, GATHERING, others);
  // What is in flight counts: with no more room than that, whatever comes meanwhile would be dropped.
  if (read.maxBufferSize <= read.maxBatchSize) {
    throw invalid(`${path}maxBufferSize`, read.maxBufferSize, `more than maxBatchSize, which is ${read.maxBatchSize}`);
  }
  return read;
};

export const readFunctions = (path, given, names) => {
  for (const name of names) if (given[name] !== undefined) requireFunction(path + name, given[name]);
};

/** The options of a ChunkBatcher. */
export const readBatcher = (given) => {
  const numbers = readGathering('', given, ['send', 'coalesce', 'isControl', 'onFatalError', 'onDrop', 'signal']);
  requireFunction('send', given.send);
  readFunctions('', given, ['coalesce', 'isControl', 'onFatalError', 'onDrop']);
  requireSignal('signal', given.signal);
  return { ...given, ...numbers };
};

/** `{ firstEventMs, inactivityMs }` as numbers for the engine; undefined where it is not given. */
export const readWatchdog = (given, [firstEventMs, inactivityMs] = [0, 0]) => {
  if (given === undefined) return undefined;
  const read = readNumbers('watchdog.', given, { firstEventMs: [firstEventMs, true], inactivityMs: [inactivityMs, true] });
  return [read.firstEventMs, read.inactivityMs];
};
