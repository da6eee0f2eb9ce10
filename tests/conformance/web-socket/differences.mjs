// Where a class of ours does not do what the native one does: the case's id, and why. Listed cases must fail.

/** @type {Record<string, Record<string, string>>} */
export const differences = {
  WebSocket: {},
  ManagedWebSocket: {
    'shape/instance-of-global': 'It is a class of its own around native sockets; only the browser makes instances of WebSocket.',
    'shape/name': 'It has a name of its own, so that a stack or a log tells which one it was.',
    'receiving/trusted': 'Only the browser makes events that are trusted; ours are made by script.',
    'listening/microtasks-between-listeners': 'Each event is dispatched by script, and microtasks wait for that script: those of one '
      + 'event still run before the next event, but not between two listeners of one event.',
  },
};
