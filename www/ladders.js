// The protocols and ladders of transports to choose from. A choice is its id: `protocol.first-second-…`.

const NAMES = { websocket: 'WebSocket', eventsource: 'EventSource', fetch: 'fetch', rest: 'REST' };

/** A transport as people write it. */
export const transportName = (transport) => NAMES[transport] ?? transport;

const ladder = (protocol, transports, label = transports.map(transportName).join(' → ')) =>
  ({ id: `${protocol}.${transports.join('-')}`, protocol, transports, label });

export const PROTOCOLS = ['bichat', 'ws-chat', 'ui-message', 'envelope'];

export const LADDERS = [
  ladder('bichat', ['fetch'], 'SSE over fetch'),
  ladder('bichat', ['eventsource']),
  ladder('bichat', ['eventsource', 'fetch', 'rest']),
  ladder('bichat', ['rest'], 'REST only'),
  ladder('ws-chat', ['websocket', 'fetch', 'rest']),
  ladder('ws-chat', ['websocket'], 'WebSocket only'),
  ladder('ws-chat', ['fetch'], 'SSE over fetch'),
  ladder('ws-chat', ['eventsource']),
  ladder('ws-chat', ['rest'], 'REST only'),
  ladder('ui-message', ['fetch'], 'SSE over fetch'),
  ladder('envelope', ['fetch'], 'SSE over fetch'),
  ladder('envelope', ['eventsource']),
];

/** The ladder of an id; the first one for an id that means nothing. */
export const findLadder = (id) => LADDERS.find((one) => one.id === id) ?? LADDERS[0];
