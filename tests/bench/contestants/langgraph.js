// The LangGraph SDK's own client and reader of events, with the same bytes as everybody: what of it turns messages into a state is
// not to be had without React, so the transcript is lib/fold.js.
import { Client } from '@langchain/langgraph-sdk';
import { answerWith, settled } from '../lib/body.js';
import { Fold } from '../lib/fold.js';

const follow = async (fetch, fold) => {
  const client = new Client({ apiUrl: 'http://langgraph.test', apiKey: null, callerOptions: { fetch } });
  for await (const { id, event, data } of client.runs.stream('thread', 'assistant')) {
    if (data === null) continue;
    if (id) fold.cursor = id;
    fold.apply(data.type || event, data);
  }
  return fold.snapshot();
};

export default {
  name: 'langgraph',
  title: '@langchain/langgraph-sdk (Client.runs.stream)',
  role: 'peer',

  catchUp({ groups, look }) {
    const fold = new Fold();
    let group = 0;
    let at = 0;
    return follow(answerWith(async () => {
      if (at === groups[group].length) {
        await settled();
        look(group, fold.snapshot());
        group += 1;
        at = 0;
        if (group === groups.length) return undefined;
      }
      return groups[group][at++];
    }), fold);
  },

  fetchRun: (url) => follow(() => fetch(url), new Fold()),
};
