// Frames of RFC 6455, section 5.2, for both ends; on request such as a server must not send.

const EMPTY = Buffer.alloc(0);

export const OPCODES = { continuation: 0, text: 1, binary: 2, close: 8, ping: 9, pong: 10 };

const opcodeName = (opcode) => Object.keys(OPCODES).find((name) => OPCODES[name] === opcode) ?? opcode;

function lengthField(length, bytes = length < 126 ? 0 : length < 65_536 ? 2 : 8) {
  if (bytes === 0) return { first: length, rest: EMPTY };
  const rest = Buffer.alloc(bytes);
  if (bytes === 2) rest.writeUInt16BE(length);
  else rest.writeBigUInt64BE(BigInt(length));
  return { first: bytes === 2 ? 126 : 127, rest };
}

/**
 * @param {object} frame
 * @param {number|string} frame.opcode a number for one that RFC 6455 does not know
 * @param {Buffer} [frame.payload]
 * @param {boolean} [frame.isFinal] by default true
 * @param {number} [frame.reserved] the three reserved bits; 4 is RSV1
 * @param {boolean} [frame.isMasked] as only a client may
 * @param {2|8} [frame.lengthBytes] a longer length field than is needed
 */
export function encodeFrame({ opcode, payload = EMPTY, isFinal = true, reserved = 0, isMasked = false, lengthBytes }) {
  const { first, rest } = lengthField(payload.length, lengthBytes);
  const head = Buffer.from([(isFinal ? 0x80 : 0) | (reserved << 4) | (OPCODES[opcode] ?? opcode), (isMasked ? 0x80 : 0) | first]);
  if (!isMasked) return Buffer.concat([head, rest, payload]);
  const key = Buffer.from([0x11, 0x22, 0x33, 0x44]);
  return Buffer.concat([head, rest, key, unmask(payload, key)]);
}

export function closePayload(code, reason = '') {
  if (code === null) return EMPTY;
  const head = Buffer.alloc(2);
  head.writeUInt16BE(code);
  return Buffer.concat([head, Buffer.from(reason)]);
}

function unmask(payload, key) {
  const plain = Buffer.from(payload);
  for (let i = 0; i < plain.length; i += 1) plain[i] ^= key[i & 3];
  return plain;
}

/** Takes bytes as they come and gives the frames that are complete. */
export class FrameReader {
  #bytes = EMPTY;

  push(bytes) {
    this.#bytes = this.#bytes.length ? Buffer.concat([this.#bytes, bytes]) : bytes;
    const frames = [];
    for (let frame = this.#take(); frame; frame = this.#take()) frames.push(frame);
    return frames;
  }

  #take() {
    const bytes = this.#bytes;
    if (bytes.length < 2) return null;
    const isMasked = bytes[1] >= 0x80;
    const short = bytes[1] & 0x7f;
    const lengthBytes = short === 126 ? 2 : short === 127 ? 8 : 0;
    const start = 2 + lengthBytes + (isMasked ? 4 : 0);
    if (bytes.length < start) return null;
    const length = lengthBytes === 0 ? short : lengthBytes === 2 ? bytes.readUInt16BE(2) : Number(bytes.readBigUInt64BE(2));
    if (bytes.length < start + length) return null;
    const body = bytes.subarray(start, start + length);
    this.#bytes = bytes.subarray(start + length);
    return {
      opcode: opcodeName(bytes[0] & 0x0f),
      isFinal: bytes[0] >= 0x80,
      reserved: (bytes[0] >> 4) & 7,
      isMasked,
      payload: isMasked ? unmask(body, bytes.subarray(start - 4, start)) : body,
    };
  }
}
