// Counts what could still make something happen in this page: armed timers and open connections. An unsettled run with
// neither behind it would hang for ever, and that is what `watch` is for.
(() => {
  const { setTimeout: arm, clearTimeout: disarm, fetch: request, EventSource: Native, WebSocket: NativeSocket } = window;
  const timers = new Set();
  const open = new Set();
  const doubled = [];
  const urls = [];
  const sockets = [];

  window.setTimeout = (fn, ms, ...args) => {
    const id = arm(() => {
      timers.delete(id);
      fn(...args);
    }, ms);
    timers.add(id);
    return id;
  };
  window.clearTimeout = (id) => {
    timers.delete(id);
    disarm(id);
  };

  /** A chat of the AI SDK has one stream, whether its message or its id asked for it. */
  const chatOf = (pathname, body) => {
    if (pathname.endsWith('/api/chat') && body) return JSON.parse(body).id;
    return /\/api\/chat\/([^/]+)\/stream$/.exec(pathname)?.[1] ?? null;
  };

  const enter = (url, body) => {
    const { pathname, searchParams, href } = new URL(url, location.href);
    urls.push(href);
    const connection = {
      pathname,
      runId: searchParams.get('runId') ?? (pathname.endsWith('/events') ? searchParams.get('pending_message_id') : chatOf(pathname, body)),
    };
    const isTwin = ({ runId }) => runId !== null && runId === connection.runId;
    if ([...open].some(isTwin)) doubled.push(`two connections at once for run ${connection.runId}`);
    open.add(connection);
    return connection;
  };

  // A request counts as open from its start to the end, the failure or the abort of its body.
  window.fetch = (input, init) => {
    const connection = enter(input instanceof Request ? input.url : String(input), init?.body);
    const leave = () => open.delete(connection);
    init?.signal?.addEventListener('abort', leave);
    const promise = request(input, init);
    promise.then((response) => {
      const { body } = response;
      if (!body) return leave();
      const { getReader } = body;
      body.getReader = (...args) => {
        const reader = getReader.apply(body, args);
        const { read } = reader;
        reader.read = () => {
          const result = read.call(reader);
          result.then(({ done }) => done && leave(), leave);
          return result;
        };
        return reader;
      };
    }, leave);
    return promise;
  };

  window.EventSource = class extends Native {
    #connection;

    constructor(url, init) {
      super(url, init);
      this.#connection = enter(String(url));
      this.addEventListener('error', () => {
        if (this.readyState === Native.CLOSED) open.delete(this.#connection);
      });
    }

    close() {
      open.delete(this.#connection);
      super.close();
    }
  };

  // All runs of a client share one socket, so it is nobody's in particular.
  window.WebSocket = class extends NativeSocket {
    #connection;

    constructor(...args) {
      super(...args);
      sockets.push(performance.now());
      this.#connection = enter(this.url);
      this.addEventListener('close', () => open.delete(this.#connection));
    }

    close(...args) {
      open.delete(this.#connection);
      super.close(...args);
    }
  };

  window.machinery = {
    /** Asks the server's control API: neither a connection of the page nor a sign that something may still happen. */
    control: async (url, body) => {
      const response = await request(url, { method: 'POST', headers: { 'Content-Type': 'application/json' }, body: JSON.stringify(body) });
      if (!response.ok) throw new Error(`${url}: ${response.status} ${await response.text()}`);
    },
    timers: () => timers.size,
    connections: () => open.size,
    /** Everything that was ever asked for. */
    urls,
    /** When each socket was made, by the page's clock. */
    sockets,
    /** Runs that had two connections at the same time. */
    doubled,
    /** Calls `report` every few ms, through a timer that is not counted. */
    watch: (report) => setInterval(report, 20),
    /** A pause that is not counted: waiting for a run must not look like the run's own timer. */
    pause: (ms = 0) => new Promise((resolve) => { arm(resolve, ms); }),
  };
})();
