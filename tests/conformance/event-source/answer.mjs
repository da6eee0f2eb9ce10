// Plays one scripted response, step by step, on a connection that is not used again.

import { once } from 'node:events';
import { setTimeout as pause } from 'node:timers/promises';
import { constants, createGzip } from 'node:zlib';

/**
 * @typedef {object} Response
 * @property {number} [status] 200 unless said otherwise
 * @property {Record<string, string|string[]>} [headers]
 * @property {string|null} [type] the Content-Type; null for none
 * @property {Step[]} [body] after its last step the connection is held open; without a body the response ends
 * @property {boolean} [refuse] cut the connection without a word
 * @property {string} [waits] the gate that the head waits for
 * @property {boolean} [gzip] compress the body, step by step
 *
 * @typedef {string
 *   | { hex: string } bytes
 *   | { fill: string, times: number } the text so many times, as one chunk
 *   | { numbered: string, times: number } the same, with # for the number of the copy
 *   | { pause: number } ms, so that what follows comes as a chunk of its own
 *   | { gate: string } wait until the case opens this gate
 *   | { end: true } a clean end
 *   | { cut: true } an end in the middle of the transfer coding
 * } Step
 */

/** @param {Response} script */
export async function play(script, response, { hasLeft, gate }) {
  const { status = 200, headers = {}, type = 'text/event-stream', body = [{ end: true }], refuse, waits, gzip } = script;
  response.socket.setNoDelay(true);
  if (refuse) {
    response.socket.destroy();
    return;
  }
  if (waits) await Promise.race([gate(waits), hasLeft]);
  response.writeHead(status, { ...type !== null && { 'content-type': type }, connection: 'close', ...headers });
  response.flushHeaders();
  const compress = gzip ? newCompressor() : (bytes) => bytes;
  for (const step of body) {
    if (response.destroyed) return;
    if (step.pause) await pause(step.pause);
    else if (step.gate) await Promise.race([gate(step.gate), hasLeft]);
    else if (step.end) response.end();
    else if (step.cut) response.socket.destroy();
    else await write(response, await compress(bytesOf(step)));
  }
}

const bytesOf = (step) => {
  if (typeof step === 'string') return Buffer.from(step);
  if (step.fill !== undefined) return Buffer.from(step.fill.repeat(step.times));
  if (step.numbered) return Buffer.from(Array.from({ length: step.times }, (_, i) => step.numbered.replace('#', i)).join(''));
  return Buffer.from(step.hex, 'hex');
};

/** Until the bytes are with the system: a cut that follows must not overtake them. */
const write = (response, bytes) => new Promise((resolve) => { response.write(bytes, () => resolve()); });

/** Each step can be read as soon as it is there. */
const newCompressor = () => {
  const gzip = createGzip({ flush: constants.Z_SYNC_FLUSH });
  return async (bytes) => {
    gzip.write(bytes);
    const [compressed] = await once(gzip, 'data');
    return compressed;
  };
};
