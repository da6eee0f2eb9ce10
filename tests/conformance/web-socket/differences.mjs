// Where a class of ours does not do what the native one does: the case's id, and why. Listed cases must fail.

const LOST = 'A connection that is lost is made again: the socket is CONNECTING then, and CLOSED only when it gives up.';

const always = {
  'shape/instance-of-global': 'It is a class of its own around native sockets; only the browser makes instances of WebSocket.',
  'shape/name': 'It has a name of its own, so that a stack or a log tells which one it was.',
  'receiving/trusted': 'Only the browser makes events that are trusted; ours are made by script.',
  'listening/microtasks-between-listeners': 'Each event is dispatched by script, and microtasks wait for that script: those of one '
    + 'event still run before the next event, but not between two listeners of one event.',
};

/** @type {Record<string, Record<string, string>>} */
export const differences = {
  WebSocket: {},
  ManagedWebSocket: always,
  'ManagedWebSocket, reconnecting': {
    ...always,
    'states/failed': LOST,
    'states/closed-by-server': LOST,
    'states/lost': LOST,
    'failing/status-404': LOST,
    'failing/status-401': LOST,
    'failing/status-200': LOST,
    'failing/status-503': LOST,
    'failing/redirect': LOST,
    'failing/no-upgrade': LOST,
    'failing/other-upgrade': LOST,
    'failing/no-connection': LOST,
    'failing/no-accept': LOST,
    'failing/wrong-accept': LOST,
    'failing/two-accepts': LOST,
    'failing/not-http': LOST,
    'failing/no-answer': LOST,
    'failing/reset': LOST,
    'closing/nothing-afterwards': 'Between two connections it is not closed yet: `close()` is answered by error and close with 1006, '
      + 'as the standard has it for a socket that is CONNECTING.',
    'sending/while-connecting': 'What is sent while there is no connection waits in a queue, in the place of an InvalidStateError.',
    'protocols/converted': 'Beside options, null means no protocols, as wrappers have it.',
  },
};
