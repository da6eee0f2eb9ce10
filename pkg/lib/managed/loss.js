// Why a connection of a drop-in class was lost, as one typed error. There is no run here: the sentences say so.
import { SteadyStreamError } from '../errors.js';

const SENTENCES = {
  'connect-failed': 'The connection failed before it was open.',
  disconnected: 'The connection was lost.',
  'gave-up': 'The connection was lost, and the retry budget is spent.',
  stalled: 'The connection went silent; expected messages or heartbeats.',
  'connect-timeout': 'The server did not answer within connectTimeoutMs.',
  unauthorized: 'The server refused our credentials, also when they were asked for anew.',
  'event-too-large': 'The server sent an event larger than maxEventBytes.',
  'queue-full': 'The queue of messages that wait for a connection is full.',
};

/** `fields`: status, closeCode, cause, detail; `retryAt` in unix ms, or null. */
export const lossOf = (code, { retryAt = null, ...fields }) => {
  const error = new SteadyStreamError(code, fields);
  if (SENTENCES[code]) error.message = SENTENCES[code];
  error.retryAt = retryAt;
  return error;
};

/** An `error` event as the standard's, with the typed error on it for those who look. */
export const errorEvent = (error) => Object.defineProperty(new Event('error'), 'error', { value: error });
