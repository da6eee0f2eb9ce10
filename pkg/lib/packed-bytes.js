// The wasm as text inside a script. Base64 would hide the bytes from the page's compression, because it cuts them at every
// sixth bit: a third more to download. Here a frequent byte is one character and any other two, so brotli finds the same
// patterns as in the binary. Characters that a minifier might have to escape are not used.

/** What packed text is made of. The last two begin a pair. */
export const ALPHABET = Array.from({ length: 95 }, (_, i) => String.fromCharCode(32 + i)).filter((c) => !'"\'`\\$<'.includes(c));

/** How many bytes have a character of their own. The text begins with them, in hex. */
export const SINGLES = ALPHABET.length - 2;

/** The bytes that take two characters, in the order of their pairs. */
export const listPaired = (common) => Array.from({ length: 256 }, (_, byte) => byte).filter((byte) => !common.includes(byte));

export const unpackBytes = (text) => {
  const common = Array.from({ length: SINGLES }, (_, i) => parseInt(text.slice(2 * i, 2 * i + 2), 16));
  const paired = listPaired(common);
  // Three rows of 128: what a character means alone, and after either of the two that begin a pair.
  const table = new Uint8Array(384);
  ALPHABET.forEach((character, i) => {
    const code = character.charCodeAt(0);
    table[code] = common[i];
    table[128 + code] = paired[i];
    table[256 + code] = paired[ALPHABET.length + i];
  });
  const pair = ALPHABET[SINGLES].charCodeAt(0);
  // In place, over bytes and not over the string: this runs once, before any of it is compiled.
  const bytes = new TextEncoder().encode(text);
  const end = bytes.length;
  let length = 0;
  let row = 0;
  for (let at = 2 * SINGLES; at < end; at++) {
    const code = bytes[at];
    if (row === 0 && code >= pair) {
      row = code === pair ? 128 : 256;
    } else {
      bytes[length++] = table[row + code];
      row = 0;
    }
  }
  return bytes.subarray(0, length);
};
