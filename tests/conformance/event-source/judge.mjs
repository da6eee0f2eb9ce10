// A listed difference must be there, in the way that the list says: a stale list is as wrong as an unlisted difference.

import assert from 'node:assert/strict';

/** `failure`: what the case said, null if it passed; `difference`: its entry in the list, if there is one. */
export function judge(failure, difference) {
  if (!difference) {
    if (failure !== null) assert.fail(failure);
    return;
  }
  const { says, reason } = difference;
  assert.notEqual(failure, null, `listed as different (${reason}), but it passes`);
  assert.ok(failure.includes(says), `listed to say ${JSON.stringify(says)}, but it says: ${failure}`);
}
