export * from './index.js';

/**
 * Loads and instantiates the engine. Await it once before anything else of this entry is used; before that, everything that
 * needs the engine throws `not-ready`. Repeated calls share one load; a failed load may be tried again.
 *
 * @param url Where `engine_bg.wasm` is served. Default: beside this module. Tools that do not follow
 * `new URL(…, import.meta.url)` (esbuild, Rollup) need it: copy `steadystream/engine.wasm` and name it here.
 * @throws {SteadyStreamError} `wasm-blocked` (Content-Security-Policy), `request-failed` (the file could not be loaded).
 */
export declare function init(url?: string | URL): Promise<void>;
