// Where a class of ours differs from the browser's, by its name and the case's id: `reason` says why it does, and `says` is a
// part of what the case says when it fails. A case that is listed here has to fail in this way; all others have to pass.

const TRUSTED = 'Only the browser makes events that are trusted; ours are made by script.';
const STATUS = '408, 425, 429 and 5xx may pass, so they are tried again, with Retry-After as the least wait. '
  + 'With retry: { onStatus: false } they are final, as in the standard.';
const UNALLOWED = 'fetch does not say whether the other origin forbade it or the network failed, so it is tried again until the '
  + 'retry budget is spent.';

const withStatus = { says: 'expected 2, got 0', reason: STATUS };
const unallowed = { says: 'got [["error connecting"], 0]', reason: UNALLOWED };

/** @type {Record<string, Record<string, { says: string, reason: string }>>} */
export const differences = {
  ManagedEventSource: {
    'shape-name': { says: 'got "ManagedEventSource"', reason: 'It has a name of its own, so that a stack or a log tells which one it was.' },
    'event-trusted-message': { says: 'got false', reason: TRUSTED },
    'event-trusted-open-error': { says: 'got [false, false]', reason: TRUSTED },
    'event-error-class': {
      says: 'got [false, false, true]',
      reason: 'error events carry the typed error as event.error; they are plain Events all the same.',
    },
    'order-microtask-listener': {
      says: 'got ["first", "second", "microtask"]',
      reason: 'Each event is dispatched by script, and microtasks wait for that script: those of one event still run before the next '
        + 'event, but not between two listeners of one event.',
    },
    'retry-empty': {
      says: 'expected 1000 to 5500',
      reason: 'The standard ignores a retry field without digits, and so do we; Chromium takes it for its default.',
    },
    'status-429': withStatus,
    'status-500': withStatus,
    'status-502': withStatus,
    'status-503': withStatus,
    'status-504': withStatus,
    'status-503-retry-after': withStatus,
    'reconnect-500': { says: 'got ["open", "message a", "error connecting", "error connecting"', reason: STATUS },
    'reconnect-503': { says: 'got ["open", "message a", "error connecting", "error connecting"', reason: STATUS },
    'cors-error-status': { says: 'got [["error connecting"], 0]', reason: STATUS },
    'several-fail-one': { says: 'got [["error connecting"]', reason: STATUS },
    'cors-none': unallowed,
    'cors-other-origin': unallowed,
    'cors-null': unallowed,
    'cors-two-origins': unallowed,
    'cors-credentials-star': unallowed,
    'cors-credentials-unallowed': unallowed,
    'cors-credentials-case': unallowed,
    'cors-reconnect-unallowed': { says: 'got ["open", "message a", "error connecting", "error connecting"]', reason: UNALLOWED },
    'redirect-back-unallowed': unallowed,
    'redirect-other-unallowed': unallowed,
    'redirect-unallowed': unallowed,
    'cors-last-event-id-no-preflight': {
      says: 'got [["GET", undefined], ["OPTIONS", undefined]]',
      reason: 'A script that sends Last-Event-ID to another origin has to ask for leave first: that origin needs '
        + 'Access-Control-Allow-Headers: Last-Event-ID.',
    },
  },
};
