// The other half of pkg/lib/packed-bytes.js.

import { ALPHABET, SINGLES, listPaired } from '../pkg/lib/packed-bytes.js';

/** Bytes as text that stays as compressible as they are. */
export const packBytes = (bytes) => {
  const counts = new Array(256).fill(0);
  for (const byte of bytes) counts[byte]++;
  const common = [...counts.keys()].sort((a, b) => counts[b] - counts[a]).slice(0, SINGLES);
  const codes = [];
  common.forEach((byte, i) => { codes[byte] = ALPHABET[i]; });
  listPaired(common).forEach((byte, i) => {
    codes[byte] = ALPHABET[SINGLES + Math.floor(i / ALPHABET.length)] + ALPHABET[i % ALPHABET.length];
  });
  return Buffer.from(common).toString('hex') + Array.from(bytes, (byte) => codes[byte]).join('');
};
