// A plain, careful EventSource over fetch, with switches that break it.
export const make = (bug = '') => {
  const is = (name) => bug === name;
  class PolySource extends EventTarget {
    static get CONNECTING() { return 0; } static get OPEN() { return 1; } static get CLOSED() { return 2; }
    #url; #cred; #state = 0; #retry = 3000; #lastId = ''; #abort; #timer; #h = {}; #current; #n = 0;
    constructor(url, init) {
      super();
      if (arguments.length === 0) throw new TypeError('1 argument required');
      if (init !== undefined && init !== null && typeof init !== 'object' && typeof init !== 'function') throw new TypeError('init');
      this.#cred = Boolean(init?.withCredentials);
      try { this.#url = new URL(String(url).toWellFormed(), document.baseURI).href; } catch (e) { if (!(e instanceof TypeError)) throw e; new URL(`${url}`.length >= 0 ? 'http://x' : url); throw new DOMException('invalid', 'SyntaxError'); }
      this.#current = this.#url;
      queueMicrotask(() => this.#connect());
    }
    get url() { return this.#url; } get withCredentials() { return this.#cred; } get readyState() { return this.#state; }
    close() { if (is('ignores-close')) return; this.#state = 2; if (!is('keeps-connection')) this.#abort?.abort(); clearTimeout(this.#timer); }
    #fail() { if (this.#state === 2) return; this.#state = 2; this.dispatchEvent(new Event('error')); if (is('two-errors')) this.dispatchEvent(new Event('error')); }
    #lost() {
      if (this.#state === 2) return;
      this.#state = is('open-while-waiting') ? 1 : 0;
      if (!is('silent-loss')) this.dispatchEvent(new Event('error'));
      if (this.#state === 2 && !is('reconnects-closed')) return;
      if (is('no-reconnect')) return;
      this.#timer = setTimeout(() => this.#connect(), is('ignores-retry') ? 3000 : is('retry-at-once') ? 0 : this.#retry);
    }
    async #connect() {
      if (this.#state === 2 && !is('connects-closed')) return;
      this.#n++;
      this.#abort = new AbortController();
      const headers = { accept: is('no-accept') ? '*/*' : 'text/event-stream' }; if (is('cache-header')) headers['cache-control'] = 'no-cache';
      if (is('content-type')) headers['content-type'] = 'text/plain';
      if (this.#lastId && !is('no-last-event-id')) headers['last-event-id'] = is('id-as-is') ? this.#lastId : String.fromCharCode(...new TextEncoder().encode(this.#lastId));
      if (is('sends-empty-id')) headers['last-event-id'] = this.#lastId;
      let response;
      const signal = this.#abort.signal;
      try {
        response = await fetch(is('original-url') ? this.#url : this.#current, { headers, signal, cache: is('cached') ? 'default' : 'no-store', method: is('post') ? 'POST' : 'GET', credentials: is('always-credentials') ? 'include' : is('never-credentials') ? 'omit' : this.#cred ? 'include' : 'same-origin' });
      } catch { if (!signal.aborted) return is('network-fatal') ? this.#fail() : this.#lost(); return; }
      if (signal.aborted && !is('connects-closed')) return;
      const status = is('any-2xx') ? response.ok : is('any-status') ? true : is('retries-5xx') && response.status >= 500 ? null : response.status === 200;
      if (status === null) return this.#lost();
      const raw = response.headers.get('content-type') ?? '';
      const [mime, ...params] = raw.split(';').map((x) => x.trim().toLowerCase());
      const charset = params.find((p) => p.startsWith('charset='))?.slice(8).replaceAll('"', '');
      const okMime = is('any-mime') ? true : is('strict-mime') ? raw === 'text/event-stream' : is('prefix-mime') ? raw.startsWith('text/event-stream') : mime === 'text/event-stream' && (is('any-charset') || charset === undefined || charset === 'utf-8');
      if (!status || !okMime) { this.#abort.abort(); return this.#fail(); }
      if (!is('original-url')) this.#current = response.url || this.#current;
      if (!is('state-late')) this.#state = 1;
      if (!is('no-open') && !(is('open-once') && this.#n > 1)) this.dispatchEvent(new Event('open'));
      this.#state = this.#state === 2 ? 2 : 1;
      await null;
      const origin = is('own-origin') ? location.origin : is('url-origin') ? new URL(this.#url).origin : new URL(response.url).origin;
      const decoder = is('latin1') ? new TextDecoder('latin1') : new TextDecoder('utf-8', { ignoreBOM: is('keeps-bom') });
      const decode = (v, o) => (is('no-stream-decode') ? new TextDecoder().decode(v) : decoder.decode(v, o));
      let rest = ''; let data = ''; let type = ''; let idBuffer = this.#lastId; let sawCr = false;
      let hasData = false;
      const dispatch = async () => {
        this.#lastId = idBuffer;
        if (is('id-needs-data') && !hasData) this.#lastId = this.#lastId;
        if (is('dispatches-empty') ? false : is('drops-empty-data') ? data.trim() === '' : data === '') { if (!is('keeps-type')) type = ''; return; }
        const d = is('keeps-last-lf') ? data : data.slice(0, -1);
        const e = new MessageEvent(is('all-message') ? 'message' : (type || 'message'), { data: is('parses') ? JSON.stringify(d) : d, lastEventId: is('no-event-id') ? '' : this.#lastId, origin });
        data = ''; hasData = false; type = is('keeps-type-always') ? type : '';
        if (is('id-resets')) idBuffer = '';
        if (this.#state === 2 && !is('same-chunk-after-close')) return;
        this.dispatchEvent(e);
        if (is('twice')) this.dispatchEvent(new MessageEvent('message', { data: d }));
        if (!is('no-microtask')) for (let i = 0; i < 10; i++) await null;
      };
      const line = async (l) => {
        if (l === '') return dispatch();
        if (l[0] === ':' && !is('comments-are-fields')) return;
        let i = l.indexOf(':');
        if (is('last-colon')) i = l.lastIndexOf(':');
        if (i === -1 && is('needs-colon')) return;
        let f = i === -1 ? l : l.slice(0, i);
        let v = i === -1 ? '' : l.slice(i + 1);
        if (is('trims')) v = v.trim(); else if (is('trims-start')) v = v.trimStart(); else if (is('keeps-space')) ; else if (v[0] === ' ') v = v.slice(1);
        if (is('any-case')) f = f.toLowerCase();
        if (is('trims-names')) f = f.trim();
        if (f === 'data') { data = is('one-line') ? `${v}\n` : data + v + (is('joins-without') ? '' : '\n'); hasData = true; }
        if (f === 'event') type = is('first-event') ? type || v : v;
        if (f === 'id') { if (is('nul-id') || !v.includes('\0')) { idBuffer = v; if (is('id-at-once')) this.#lastId = v; } else if (is('nul-clears')) idBuffer = ''; }
        if (f === 'retry') { if (is('loose-retry') ? !isNaN(parseInt(v)) : is('number-retry') ? !isNaN(Number(v)) && v !== '' : /^\d+$/.test(v)) this.#retry = Math.max(0, is('octal-retry') ? Number(v[0] === '0' ? `0o${v.slice(1) || 0}` : v) : parseInt(v, 10)); else if (v === '' && !is('empty-retry')) this.#retry = 3000; }
      };
      const feed = async (text) => {
        for (const c of text) {
          if (this.#state === 2 && !is('same-chunk-after-close')) return;
          if (c === '\n' && sawCr) { sawCr = false; if (!is('crlf-is-two')) continue; }
          sawCr = c === '\r';
          if (c === '\n' || (c === '\r' && !is('no-cr')) || (is('unicode-lines') && '\u2028\u2029\u0085\v\f'.includes(c))) { const l = rest; rest = ''; if (is('drops-long') && l.length > 65536) continue; await line(l); } else rest += c;
        }
        if (is('crlf-split')) sawCr = false;
      };
      const reader = response.body.getReader();
      try {
        for (;;) {
          const { value, done } = await reader.read();
          if (done) break;
          if (this.#state === 2 && !is('ignores-close')) return;
          await feed(decode(value, { stream: true }));
        }
        if (is('flushes-eof')) { if (rest) await line(rest); await dispatch(); }
      } catch { }
      this.#lost();
    }
  }
  for (const n of ['open', 'message', 'error']) {
    const map = new WeakMap();
    Object.defineProperty(PolySource.prototype, `on${n}`, {
      get() { if (!(this instanceof PolySource)) throw new TypeError(); this.readyState; return map.get(this)?.fn ?? null; },
      set(fn) {
        this.readyState;
        const value = (typeof fn === 'object' && fn !== null) || typeof fn === 'function' ? fn : null;
        const old = map.get(this);
        if (value === null) { if (old) this.removeEventListener(n, old.listener); map.delete(this); return; }
        if (old) { if (is('handler-moves')) { this.removeEventListener(n, old.listener); this.addEventListener(n, old.listener); } old.fn = value; return; }
        const entry = { fn: value, listener: (e) => { if (typeof entry.fn === 'function') entry.fn.call(this, e); } };
        map.set(this, entry);
        this.addEventListener(n, entry.listener);
      }, enumerable: true, configurable: true });
  }
  for (const [k, value] of Object.entries({ CONNECTING: 0, OPEN: 1, CLOSED: 2 })) {
    for (const o of [PolySource, PolySource.prototype]) Object.defineProperty(o, k, { value, enumerable: true, writable: false, configurable: false });
  }
  for (const k of ['url', 'withCredentials', 'readyState', 'close']) Object.defineProperty(PolySource.prototype, k, { enumerable: true });
  Object.defineProperty(PolySource.prototype, Symbol.toStringTag, { value: 'EventSource', configurable: true });
  return PolySource;
};
