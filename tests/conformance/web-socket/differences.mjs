// Where a class of ours does not do what the native one does: the case's id, and why. Listed cases must fail.

/** @type {Record<string, Record<string, string>>} */
export const differences = {
  WebSocket: {},
};
