// The wasm as text inside a script. Base64 would hide its bytes from the page's compression, because it cuts them at every
// sixth bit: a third more to download. Here each kind of thing in the code (instructions, locals, constants, offsets, …) is
// a stream of numbers of its own, because like compresses with like, and an instruction with a frequent operand is one of its own:
// less to download than the binary itself.

/** `text`: what scripts/pack-wasm.mjs wrote, behind its own unpacker (a small wasm module, in base64) and a space. */
export const unpackWasm = (text) => {
  const start = text.indexOf(' ') + 1;
  const unpacker = new WebAssembly.Module(Uint8Array.from(atob(text.slice(0, start)), (c) => c.charCodeAt()));
  const { memory, unpack } = new WebAssembly.Instance(unpacker).exports;
  const length = text.length - start;
  const base = memory.buffer.byteLength;
  // A number for each character, the characters, the module: it has not many more bytes than its text.
  const out = base + 5 * length;
  memory.grow(Math.ceil((7 * length) / 65536));
  new TextEncoder().encodeInto(text.slice(start), new Uint8Array(memory.buffer, base + 4 * length));
  return new Uint8Array(memory.buffer, out, unpack(base, length, 2 * length) - out);
};
