// Assertions whose messages say everything: they are all that a failed case leaves behind.

export class Failure extends Error {
  name = 'Failure';
}

const LONGEST = 400;

const show = (value) => {
  if (typeof value === 'string') return JSON.stringify(value);
  if (Array.isArray(value)) return `[${value.map(show).join(', ')}]`;
  if (typeof value === 'function') return `function ${value.name}`;
  if (value !== null && typeof value === 'object' && Object.getPrototypeOf(value) === Object.prototype) {
    return `{ ${Object.entries(value).map(([key, each]) => `${key}: ${show(each)}`).join(', ')} }`;
  }
  return String(value);
};

const brief = (value) => {
  const text = show(value);
  return text.length <= LONGEST ? text : `${text.slice(0, LONGEST)}… (${text.length})`;
};

const isPlain = (value) => typeof value === 'object' && value !== null
  && (Array.isArray(value) || Object.getPrototypeOf(value) === Object.prototype);

const isEqual = (a, b) => {
  if (!isPlain(a) || !isPlain(b)) return Object.is(a, b);
  const keys = Object.keys(a);
  return keys.length === Object.keys(b).length && keys.every((key) => Object.hasOwn(b, key) && isEqual(a[key], b[key]));
};

/** Plain objects and lists by content, everything else by identity. */
export function equal(actual, expected, what) {
  if (!isEqual(actual, expected)) throw new Failure(`${what}: expected ${brief(expected)}, got ${brief(actual)}`);
}

export function ok(value, what) {
  if (!value) throw new Failure(what);
}

export function between(actual, least, most, what) {
  if (!(actual >= least && actual <= most)) throw new Failure(`${what}: expected ${least} to ${most}, got ${brief(actual)}`);
}

/** `expected`: the class of the error, or the name of a DOMException. Gives the error. */
export function throws(expected, act, what) {
  let error;
  try {
    act();
  } catch (thrown) {
    error = thrown;
  }
  const name = typeof expected === 'string' ? expected : expected.name;
  if (error === undefined) throw new Failure(`${what}: expected ${name}, nothing was thrown`);
  const fits = typeof expected === 'string' ? error instanceof DOMException && error.name === expected : error instanceof expected;
  if (!fits) throw new Failure(`${what}: expected ${name}, got ${error}`);
  return error;
}
