// The browser's own: it reads from the network alone.
import { Fold } from '../lib/fold.js';

const EVENTS = ['content', 'thinking', 'text_block_end', 'tool_start', 'tool_end', 'usage', 'done'];

export default {
  name: 'native EventSource',
  title: 'native EventSource + JSON.parse',
  role: 'peer',

  fetchRun: (url) => new Promise((resolve, reject) => {
    const fold = new Fold();
    const source = new EventSource(url);
    const take = ({ type, lastEventId, data }) => {
      if (lastEventId) fold.cursor = lastEventId;
      const payload = JSON.parse(data);
      fold.apply(payload.type || type, payload);
      if (type !== 'done') return;
      source.close();
      resolve(fold.snapshot());
    };
    for (const name of EVENTS) source.addEventListener(name, take);
    source.onerror = () => {
      source.close();
      reject(new Error('the source failed'));
    };
  }),
};
