import { RunClient } from '../../../pkg/index.js';
import { useStore } from '../../../pkg/react.js';
import { mount } from '../lib/sidebar.js';

/** Who is not in sight need not be told in every frame. */
const UNSEEN_MS = 250;

export default {
  name: 'steadystream/react',
  role: 'ours',

  render(urls, isInSight) {
    const client = new RunClient({ baseUrl: '/shared', protocol: 'bichat', maxConnections: Infinity });
    const open = (url, i) => client.open({ sessionId: url, runId: 'r-1' }, isInSight(i) ? {} : { notify: UNSEEN_MS });
    mount(urls.map(open), useStore);
  },
};
