// What a case may tell the server's end of a connection to do; it travels in the URL. Read by peer.mjs.

/**
 * @typedef {object} Frame
 * @property {string|number} opcode a name of framing.mjs, or a number
 * @property {string} [text] the content
 * @property {number[]} [bytes] the same as bytes
 * @property {number} [times] the text is repeated so often
 * @property {number|null} [code] of a Close frame, with `reason`; null: an empty one
 * @property {boolean} [isDeflated] compressed, with its bit
 * @property {boolean} [isFinal] and `reserved`, `isMasked`, `lengthBytes`: see framing.mjs
 *
 * @typedef {object} Script
 * @property {number} [status] of the answer to the handshake, by default 101
 * @property {Record<string, string|string[]|null>} [headers] of that answer, beside the usual ones or in the place of them; null: without
 * @property {string} [raw] the whole answer
 * @property {'go'} [hold] the handshake is answered only after `go()`
 * @property {'reset'|'end'} [refuse] the connection ends without an answer
 * @property {boolean} [echo] every message is sent back
 * @property {'answer'|'ignore'|'linger'} [onClose] what a Close frame meets: an answer and the end (default), nothing, or an
 *   answer and no end
 * @property {Step[]} [steps] what is sent; all that stands before the first wait leaves in one piece with the handshake's answer
 *
 * @typedef {{ frame: Frame } | { bytes: number[] } | { numbered: number } | { wait: 'go'|'message'|'close'|'pong' } | { act: 'end'|'reset'|'pause'|'resume' }} Step
 */

export const frame = (opcode, content, rest = {}) => ({ frame: { opcode, ...(typeof content === 'string' ? { text: content } : { bytes: content }), ...rest } });

export const text = (content, rest) => frame('text', content, rest);
export const binary = (bytes, rest) => frame('binary', bytes, rest);
export const ping = (content) => frame('ping', content);
export const close = (code = null, reason = '') => ({ frame: { opcode: 'close', code, reason } });

/** One message in several frames. */
export const fragments = (opcode, contents) => contents.map((content, i) => frame(i ? 'continuation' : opcode, content, { isFinal: i === contents.length - 1 }));

/** So many text messages: "0", "1", … */
export const numbered = (count) => ({ numbered: count });

export const until = (what) => ({ wait: what });
export const END = { act: 'end' };
export const RESET = { act: 'reset' };
/** Nothing is read until RESUME. */
export const PAUSE = { act: 'pause' };
export const RESUME = { act: 'resume' };
