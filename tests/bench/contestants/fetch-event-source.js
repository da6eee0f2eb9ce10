// Its parser is reached through its one public function, so the chunks come out of the body of a Response.
import { fetchEventSource } from '@microsoft/fetch-event-source';
import { Fold } from '../lib/fold.js';

const HEADERS = { 'content-type': 'text/event-stream' };

const follow = (url, fold, fetch) => fetchEventSource(url, {
  openWhenHidden: true,
  fetch,
  onmessage({ id, event, data }) {
    if (data === '') return;
    if (id) fold.cursor = id;
    const payload = JSON.parse(data);
    fold.apply(payload.type || event, payload);
  },
  onerror(error) { throw error; },
});

export default {
  name: 'fetch-event-source',
  title: 'fetch-event-source + JSON.parse',
  role: 'peer',

  async catchUp({ groups, look }) {
    const fold = new Fold();
    let group = 0;
    let at = 0;
    // With no queue in between, a pull means that the chunk before has been read.
    const body = new ReadableStream({
      pull(controller) {
        if (at === groups[group].length) {
          look(group, fold.snapshot());
          group += 1;
          at = 0;
          if (group === groups.length) return controller.close();
        }
        controller.enqueue(groups[group][at++]);
      },
    }, { highWaterMark: 0 });
    await follow('/stream', fold, async () => new Response(body, { headers: HEADERS }));
    return fold.snapshot();
  },

  async fetchRun(url) {
    const fold = new Fold();
    await follow(url, fold, fetch);
    return fold.snapshot();
  },
};
