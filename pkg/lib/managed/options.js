// The options of the drop-in classes, parsed once. What a native class would throw for is thrown by the classes themselves; what
// is ours is named by its path. Unknown names at the top mean nothing, as in every dictionary of the platform; a typo inside our
// own objects is one.
import { invalid } from '../errors.js';
import { requireNumber, requireSignal } from '../options.js';

const isObject = (value) => typeof value === 'object' && value !== null && !Array.isArray(value);

/** `table`: name -> [default, may be infinite]. */
export const readNumbers = (path, given = {}, table, others = []) => {
  if (!isObject(given)) throw invalid(path, given, 'an object');
  for (const name of Object.keys(given)) {
    if (!(name in table) && !others.includes(name)) throw invalid(`${path}.${name}`, given[name], 'no option of this name');
  }
  const read = {};
  for (const [name, [fallback, mayBeInfinite]] of Object.entries(table)) {
    read[name] = given[name] === undefined ? fallback : requireNumber(`${path}.${name}`, given[name], mayBeInfinite);
  }
  return read;
};

const RETRY = {
  baseMs: [1000],
  capMs: [30000],
  stableMs: [10000],
  giveUpAfterMs: [600000, true],
  maxAttempts: [Infinity, true],
};
const LIVENESS = { stallMs: [Infinity, true], floorMs: [6000] };

/** `retry`: numbers, or `false`, which is one connection and no more. `more`: further names in it. */
export const readRetry = (retry, defaults, more) => {
  if (retry === false) return { ...readNumbers('retry', {}, RETRY), maxAttempts: 0 };
  return readNumbers('retry', retry === true ? {} : retry, { ...RETRY, ...defaults }, more);
};

export const readLiveness = (liveness) => readNumbers('liveness', liveness, LIVENESS);

/** `connectGraceMs`, `connectTimeoutMs`, `signal`. */
export const readCommon = (init, connectTimeoutMs) => ({
  connectGraceMs: requireNumber('connectGraceMs', init.connectGraceMs ?? 0),
  connectTimeoutMs: requireNumber('connectTimeoutMs', init.connectTimeoutMs ?? connectTimeoutMs),
  signal: requireSignal('signal', init.signal ?? undefined),
});

/** In the order of the boundary's `RawLink`. `leastMs`: the least wait between attempts, or -1 for none. */
export const linkNumbers = (leastMs, retry, liveness, { connectTimeoutMs }) => [
  leastMs, retry.baseMs, retry.capMs, retry.stableMs, retry.giveUpAfterMs, retry.maxAttempts, liveness.stallMs, liveness.floorMs,
  connectTimeoutMs,
];
