// The one wasm instance of the page: made on first use, refused for ever after a trap. A trap runs no destructors, so what is
// in memory then is no state at all: nothing is re-created behind the user's back.
import { SteadyStreamError } from './errors.js';

let glue;
let unpackInline;
let wasm;
let dead;
let loading;

/** Everything with state in the instance and somebody to tell. It also keeps a client in use from being collected. */
export const lives = new Set();

/**
 * The entry that was imported first says where the wasm comes from. `unpack` gives its bytes: undefined for `steadystream/url`.
 * Also the seam at which tests put a scripted engine.
 */
export const provide = (module, unpack) => {
  glue ??= module;
  unpackInline ??= unpack;
};

// Our bytes are known to be valid, so a refusal to compile them is the page's policy speaking, whatever its words.
// (WebKit says it with an EvalError.) Anything else in a load is the network's.
const toLoadError = (cause) => (cause instanceof WebAssembly.CompileError || cause instanceof EvalError
  ? new SteadyStreamError('wasm-blocked', { cause })
  : new SteadyStreamError('request-failed', { cause, retryable: true }));

const crash = (cause) => {
  if (dead) return dead;
  dead = new SteadyStreamError('engine-crashed', { cause });
  for (const life of [...lives]) life.crash(dead);
  lives.clear();
  return dead;
};

const adopt = (exports) => {
  if (wasm) return;
  wasm = exports;
  unpackInline = undefined;
};

/** The generated module, instantiated. Throws `wasm-blocked`, `not-ready` or `engine-crashed`. */
export const engine = () => {
  if (dead) throw dead;
  if (!wasm) {
    if (unpackInline === undefined) throw new SteadyStreamError('not-ready');
    if (typeof WebAssembly === 'undefined') throw new SteadyStreamError('wasm-blocked');
    try {
      adopt(glue.initSync({ module: unpackInline() }));
    } catch (error) {
      throw toLoadError(error);
    }
  }
  return glue;
};

export const memory = () => wasm.memory;

const once = (load) => {
  if (typeof WebAssembly === 'undefined') return Promise.reject(new SteadyStreamError('wasm-blocked'));
  // A failed load may be tried again: the network or the policy may have changed.
  loading ??= load().catch((error) => {
    loading = undefined;
    throw toLoadError(error);
  });
  return loading;
};

export const preload = () => once(async () => {
  if (wasm) return;
  const module = await WebAssembly.compile(unpackInline());
  if (!wasm) adopt(glue.initSync({ module }));
});

/** `init`: the generated module's loader, which the inline entry leaves out. */
export const load = (url, init = glue.default) => once(async () => {
  if (!wasm) adopt(await init({ module_or_path: url }));
});

/** Runs a call into the instance; all of them go through here. They do not throw, so whatever comes out is a trap or as bad. */
export const guard = (fn) => {
  if (dead) throw dead;
  try {
    return fn();
  } catch (error) {
    throw crash(error);
  }
};
