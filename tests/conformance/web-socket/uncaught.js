// Errors that nobody caught: those that a case throws on purpose, and the others, which fail the run.

const claims = new Map();

/** @type {string[]} */
export const uncaught = [];

function take(error, message, event) {
  const claim = claims.get(error);
  if (!claim) {
    uncaught.push(String(error?.stack ?? message));
    return;
  }
  claim.times += 1;
  event.preventDefault();
}

addEventListener('error', (event) => take(event.error, event.message, event));
addEventListener('unhandledrejection', (event) => take(event.reason, event.reason, event));

/** For an error that is thrown on purpose; counts how often it was reported. */
export function claim(error) {
  const seen = { times: 0 };
  claims.set(error, seen);
  return seen;
}
