// Which chunks of a generation may be made one, or go when there is no room.

// Of two neighbours these may differ: the newer one's count.
const PASSING = new Set(['delta', 'content', 'timestamp']);

// So long may one get, in UTF-16 code units: so many chunks are so much text at most, however long a server takes none.
const LONGEST = 4096;

export const isControl = (chunk) => typeof chunk.delta !== 'string';

/** Two deltas of one thing as one, or null. */
export const coalesce = (one, other) => {
  const names = Object.keys(other);
  const isSame = Object.keys(one).length === names.length
    && names.every((name) => PASSING.has(name) ? name in one : one[name] === other[name]);
  return isSame && one.delta.length + other.delta.length <= LONGEST ? { ...other, delta: one.delta + other.delta } : null;
};
