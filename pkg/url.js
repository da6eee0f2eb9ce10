// The same library with its wasm in a file of its own: smaller JS, streamed compilation, one `await init()` before use.
import * as glue from './wasm/engine.js';
import { load, provide } from './lib/instance.js';

provide(glue);

export * from './lib/api.js';

export const init = (url = new URL('./wasm/engine_bg.wasm', import.meta.url)) => load(url, glue.default);

// Shadows the inline entry's: here an early load is a load from the network.
export const preload = () => init();
