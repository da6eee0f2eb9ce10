import { RunClient, createActiveRunsCore, createRunCore } from '../../../pkg/index.js';
import { answerWith } from '../lib/body.js';

// The page's own `fetch` opens no connection, of which a server over HTTP/1.1 would have too few.
const client = new RunClient({ baseUrl: '/shared', protocol: 'bichat', maxConnections: Infinity });

export default {
  name: 'steadystream',
  role: 'ours',
  protocols: ['bichat', 'ui-message', 'active-runs'],

  open(protocol) {
    const core = protocol === 'active-runs' ? createActiveRunsCore() : createRunCore({ protocol });
    return {
      push: (bytes) => core.push(bytes),
      snapshot: () => core.snapshot(),
      close: () => core.free(),
    };
  },

  /** The whole client, with somebody who looks once a frame. */
  async fetchRun(url) {
    const own = new RunClient({ baseUrl: url, protocol: 'bichat' });
    const run = own.open({ sessionId: 's-1', runId: 'r-1' });
    run.subscribe(() => {});
    await run.finished;
    const state = run.getSnapshot();
    own.close();
    return state;
  },

  /** A run of the client that nobody watches. */
  async hold(next) {
    globalThis.fetch = answerWith(next);
    const run = client.open({ sessionId: crypto.randomUUID(), runId: 'r-1' });
    await run.finished;
    return run.getSnapshot();
  },

  live: (url, notify) => client.open({ sessionId: url, runId: 'r-1' }).subscribe(notify),
};
