// Each chunk copied to the one place in a wasm memory where it would be read.
const PAGE = 4096;
const memory = new WebAssembly.Memory({ initial: 4 });
// The best offset that was found: see DESIGN.md, 2.3.
const area = new Uint8Array(memory.buffer, PAGE / 2, 65536);

export default {
  name: 'copy into wasm alone',
  role: 'bound',
  protocols: ['bichat', 'ui-message', 'active-runs'],

  catchUp({ groups }) {
    let bytes = 0;
    for (const group of groups) {
      for (const chunk of group) {
        area.set(chunk);
        bytes += chunk.length;
      }
    }
    return bytes;
  },
};
