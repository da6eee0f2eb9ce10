// The user's `headers` option, asked anew for every attempt, so that a refreshed token is used by the next reconnect.

/** A function returning a promise of fresh `Headers`, or undefined when the option was not given. */
export const headerSource = (option) => {
  if (option === undefined) return undefined;
  return async () => {
    // One turn later: the engine asks from inside a call, and user code must never run there.
    await null;
    return new Headers(typeof option === 'function' ? await option() : option);
  };
};
