// What a badge has shown, held against what it should have: `state transport code`, in order and nothing else.

import assert from 'node:assert/strict';

/** A line that begins with `?` may be missing: whether it is seen is a matter of timing. A list of lines comes once or more often. */
const matches = (shown, expected) => {
  if (expected.length === 0) return shown.length === 0;
  const [line, ...rest] = expected;
  if (Array.isArray(line)) {
    // A round that took no line was the last.
    if (line.left === shown.length) return matches(shown, rest);
    return matches(shown, [...line, ...rest]) || matches(shown, [...line, Object.assign([...line], { left: shown.length }), ...rest]);
  }
  const isOptional = line.startsWith('?');
  const isThere = shown[0] === (isOptional ? line.slice(1) : line);
  return (isThere && matches(shown.slice(1), rest)) || (isOptional && matches(shown, rest));
};

export function assertHistory({ history, trace }, expected) {
  if (process.env.TELL) console.log(JSON.stringify(history));
  assert.ok(matches(history, expected), `the connection showed ${JSON.stringify(history)}, expected ${JSON.stringify(expected)}; trace: ${JSON.stringify(trace)}`);
}
