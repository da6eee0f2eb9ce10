// The server's end of the connections: does what the script in the URL says and tells what it saw.

import { createHash } from 'node:crypto';
import { deflateRawSync, constants } from 'node:zlib';
import { FrameReader, closePayload, encodeFrame } from './framing.mjs';

const GUID = '258EAFA5-E914-47DA-95CA-C5AB0DC85B11';

/** Longer contents are told by their length only. */
const TOLD_BYTES = 4096;

const acceptFor = (request) => createHash('sha1').update(request.headers['sec-websocket-key'] + GUID).digest('base64');

export function answer(request, { status = 101, headers = {}, raw } = {}) {
  if (raw !== undefined) return Buffer.from(raw);
  const usual = status === 101
    ? { Upgrade: 'websocket', Connection: 'Upgrade', 'Sec-WebSocket-Accept': acceptFor(request) }
    : { 'Content-Length': '0', Connection: 'close' };
  const lines = Object.entries({ ...usual, ...headers }).flatMap(([name, value]) => (
    value === null ? [] : [value].flat().map((each) => `${name}: ${each}\r\n`)));
  return Buffer.from(`HTTP/1.1 ${status} Scripted\r\n${lines.join('')}\r\n`);
}

/** Without the four bytes that each sync flush ends with: RFC 7692, section 7.2.1. */
const deflate = (bytes) => deflateRawSync(bytes, { finishFlush: constants.Z_SYNC_FLUSH }).subarray(0, -4);

function frameBytes({ opcode, text, bytes, times = 1, code, reason, isDeflated = false, ...rest }) {
  let payload = code === undefined ? Buffer.from(text?.repeat(times) ?? bytes ?? '') : closePayload(code, reason);
  if (isDeflated) payload = deflate(payload);
  return encodeFrame({ opcode, payload, reserved: isDeflated ? 4 : 0, ...rest });
}

function stepBytes({ frame, bytes, numbered }) {
  if (frame) return frameBytes(frame);
  if (bytes) return Buffer.from(bytes);
  return Buffer.concat(Array.from({ length: numbered }, (_, i) => frameBytes({ opcode: 'text', text: String(i) })));
}

function told({ opcode, isFinal, reserved, isMasked, payload }) {
  const note = { opcode, isFinal, reserved, isMasked, length: payload.length };
  if (opcode === 'close') return { ...note, code: payload.length ? payload.readUInt16BE() : null, reason: payload.subarray(2).toString() };
  if (opcode === 'ping' || opcode === 'pong') return { ...note, text: payload.toString() };
  return note;
}

function toldMessage(frames) {
  const whole = Buffer.concat(frames.map(({ payload }) => payload));
  if (whole.length > TOLD_BYTES) return whole.length;
  return frames[0].opcode === 'text' ? whole.toString() : [...whole];
}

export class Peer {
  #socket;
  #script;
  #note;
  #reader = new FrameReader();
  #happened = { go: 0, message: 0, close: 0, pong: 0 };
  #waiting = null;
  #message = [];
  #hasSentClose = false;

  /** `note` is called with what this end sees: `{ frame }`, `{ message }`, `{ gone }`. */
  constructor(request, socket, script, note) {
    this.#socket = socket;
    this.#script = script;
    this.#note = note;
    // A reset is one of the ends that cases ask for.
    socket.on('error', () => {});
    socket.on('data', (bytes) => { for (const frame of this.#reader.push(bytes)) this.#take(frame); });
    socket.once('end', () => socket.end());
    socket.once('close', () => note({ gone: true }));
    socket.setNoDelay(true);
    this.#play(request);
  }

  signal(what) {
    this.#happened[what] += 1;
    if (this.#waiting?.what === what) this.#waiting.resume();
  }

  end() {
    this.#socket.destroy();
  }

  async #play(request) {
    const { hold, refuse, steps = [] } = this.#script;
    if (hold) await this.#until(hold);
    if (refuse) {
      this.#act(refuse);
      return;
    }
    let batch = [answer(request, this.#script)];
    const flush = () => { this.#write(Buffer.concat(batch)); batch = []; };
    for (const step of steps) {
      if (step.frame?.opcode === 'close') this.#hasSentClose = true;
      if (!step.wait && !step.act) batch.push(stepBytes(step));
      else flush();
      if (step.wait) await this.#until(step.wait);
      if (step.act) this.#act(step.act);
    }
    flush();
    if ((this.#script.status ?? 101) !== 101) this.#socket.end();
  }

  #take(frame) {
    this.#note({ frame: told(frame) });
    if (frame.opcode === 'close') this.#takeClose(frame);
    if (frame.opcode === 'pong') this.signal('pong');
    if (['text', 'binary', 'continuation'].includes(frame.opcode)) this.#takeData(frame);
  }

  #takeData(frame) {
    if (this.#script.echo) this.#write(encodeFrame({ ...frame, isMasked: false }));
    this.#message.push(frame);
    if (!frame.isFinal) return;
    this.#note({ message: toldMessage(this.#message) });
    this.#message = [];
    this.signal('message');
  }

  #takeClose({ payload }) {
    const { onClose = 'answer' } = this.#script;
    this.signal('close');
    if (onClose === 'ignore') return;
    if (!this.#hasSentClose) this.#write(encodeFrame({ opcode: 'close', payload }));
    if (onClose === 'answer') this.#socket.end();
  }

  #write(bytes) {
    if (bytes.length && this.#socket.writable) this.#socket.write(bytes);
  }

  #act(what) {
    if (what === 'reset') this.#socket.resetAndDestroy();
    if (what === 'end') this.#socket.end();
    if (what === 'pause') this.#socket.pause();
    if (what === 'resume') this.#socket.resume();
  }

  async #until(what) {
    if (this.#happened[what] === 0) {
      await new Promise((resume) => { this.#waiting = { what, resume }; });
      this.#waiting = null;
    }
    this.#happened[what] -= 1;
  }
}
