// What a badge has shown, held against what it should have: `state transport code`, in order and nothing else.

import assert from 'node:assert/strict';

/**
 * A line that begins with `?` may be missing: whether it is seen is a matter of timing. Of lines with ` | ` between them one is there. A
 * list of lines comes once or more often.
 */
const matches = (shown, expected) => {
  if (expected.length === 0) return shown.length === 0;
  const [line, ...rest] = expected;
  if (Array.isArray(line)) {
    // A round that took no line was the last.
    if (line.left === shown.length) return matches(shown, rest);
    return matches(shown, [...line, ...rest]) || matches(shown, [...line, Object.assign([...line], { left: shown.length }), ...rest]);
  }
  const isOptional = line.startsWith('?');
  const isThere = (isOptional ? line.slice(1) : line).split(' | ').includes(shown[0]);
  return (isThere && matches(shown.slice(1), rest)) || (isOptional && matches(shown, rest));
};

export function assertHistory({ history, trace }, expected) {
  if (process.env.TELL) console.log(JSON.stringify(history));
  assert.ok(matches(history, expected), `the connection showed ${JSON.stringify(history)}, expected ${JSON.stringify(expected)}; trace: ${JSON.stringify(trace)}`);
}

/**
 * What a badge should have shown of a run with this trace, as `assertHistory` takes it: for runs whose course nobody knows
 * beforehand. What happens in one turn is shown once, so that only what waits for the network must be seen.
 */
export function historyOf(trace) {
  const shown = [];
  let cause = '';
  const show = (state, transport) => shown.push([state, transport, cause].filter(Boolean).join(' '));
  for (const [i, line] of trace.entries()) {
    const [what, transport, code] = line.split(' ');
    if (what === 'attempt') show(cause ? '?reconnecting' : '?connecting', transport);
    if (what === 'opened') {
      // What is over in the same turn is not seen: a poll's answer, a socket that was joined too late.
      const isSeen = transport !== 'rest' && !/^(settled|lost|gap)/.test(trace[i + 1]);
      show(isSeen ? 'open' : '?open', transport);
      if (cause) shown.push(`?open ${transport}`);
    }
    if (what === 'lost') {
      cause = code;
      show('?reconnecting', transport);
    }
    if (what === 'switched') show(cause ? '?reconnecting' : '?connecting', transport);
  }
  return [...shown.filter((line, i) => line !== shown[i - 1]), 'closed'];
}
