// The words that scripted responses are written in; see Step in answer.mjs.

export const END = { end: true };
export const CUT = { cut: true };

/** A pause that is long enough for the two sides of it to arrive as two chunks. */
export const SPLIT = { pause: 15 };

/** Where a reconnection is only a means: the default would be seconds. */
export const SOON = 'retry: 20\n\n';

export const hex = (text) => ({ hex: text.replaceAll(' ', '') });
export const fill = (text, times) => ({ fill: text, times });
/** `#` in the text is the number of its copy. */
export const numbered = (text, times) => ({ numbered: text, times });
export const gate = (name) => ({ gate: name });
export const message = (data) => `data: ${data}\n\n`;
export const redirect = (status, location, headers = {}) => ({ status, type: null, headers: { ...headers, location } });
