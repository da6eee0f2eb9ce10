// What the page tells of its surroundings, by the numbers that the boundary knows.

const ONLINE = 0;
const VISIBLE = 2;
const SIGNALS = ['online', 'offline', 'visible', 'hidden', 'freeze', 'resume', 'pagehide', 'pageshow'];
const OF_PAGE = ['online', 'offline', 'pagehide', 'pageshow'];
const OF_DOCUMENT = ['visibilitychange', 'freeze', 'resume'];

const isHidden = () => globalThis.document?.hidden === true;

/** Where nothing is said, there is a network. */
export const onlineNow = () => (globalThis.navigator?.onLine === false ? ONLINE + 1 : ONLINE);

/** The surroundings as they are, as the signals that would have brought them about. Where nothing is said, somebody looks. */
export const weatherNow = () => [onlineNow(), isHidden() ? VISIBLE + 1 : VISIBLE];

/** Whether the page is about to sleep, or to be gone. */
export const isGoodbye = (signal) => ['freeze', 'pagehide'].includes(SIGNALS[signal]);

/** Tells signals until what it gives is called. */
export const watchPage = (tell) => {
  const listen = ({ type }) => {
    tell(SIGNALS.indexOf(type === 'visibilitychange' ? (isHidden() ? 'hidden' : 'visible') : type));
  };
  const each = (act) => {
    for (const name of OF_PAGE) globalThis[act]?.(name, listen);
    for (const name of OF_DOCUMENT) globalThis.document?.[act](name, listen);
  };
  each('addEventListener');
  return () => each('removeEventListener');
};
