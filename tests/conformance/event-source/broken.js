// native subclasses, deliberately broken
const N = window.EventSource;
export class IgnoresClose extends N { close() {} }
export class SwallowsIds extends N {
  addEventListener(type, fn, o) {
    if (typeof fn !== 'function') return super.addEventListener(type, fn, o);
    super.addEventListener(type, (e) => fn.call(this, e instanceof MessageEvent ? Object.assign(new MessageEvent(e.type, { data: e.data, origin: e.origin })) : e), o);
  }
}
export class NoCredentials extends N { constructor(u, i) { super(u, i && typeof i === 'object' ? {} : i); } }
export class Dead extends EventTarget { constructor(u, i) { super(); } close() {} get readyState() { return 0; } }
export class NoReconnect extends N { constructor(u, i) { super(u, i); super.addEventListener('error', () => this.close()); } }
export class LateOpen extends N { constructor(u, i) { super(u, i); super.addEventListener('open', (e) => { if (e.isTrusted) { e.stopImmediatePropagation(); setTimeout(() => this.dispatchEvent(new Event('open'))); } }); } }
export class NeverCloses extends N { get readyState() { return Math.min(super.readyState, 1); } }
export class TrimsData extends N { addEventListener(type, fn, o) { if (typeof fn !== 'function') return super.addEventListener(type, fn, o); super.addEventListener(type, (e) => { if (typeof e.data === 'string') Object.defineProperty(e, 'data', { value: e.data.trim() }); fn.call(this, e); }, o); } }
