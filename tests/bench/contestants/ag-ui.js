// AG-UI's own agent over HTTP, with its reader, its checks and its messages. It makes all messages anew with each event, so longer
// runs are left out.
import { HttpAgent } from '@ag-ui/client';
import { answerWith, oneByOne, settled } from '../lib/body.js';

const stateOf = (messages, status) => ({
  status,
  text: messages.filter(({ role }) => role === 'assistant').map(({ content }) => content ?? '').join(''),
  reasoning: messages.filter(({ role }) => role === 'reasoning').map(({ content }) => content).join(''),
  tools: messages.flatMap(({ toolCalls = [] }) => toolCalls.map(({ id, function: { name, arguments: args } }) => ({
    callId: id, name, arguments: args, result: messages.find(({ toolCallId }) => toolCallId === id)?.content,
  }))),
});

export default {
  name: 'ag-ui',
  title: '@ag-ui/client (HttpAgent)',
  role: 'peer',
  protocols: ['ag-ui'],
  mostEvents: 2000,

  async catchUp({ groups, look }) {
    let group = 0;
    let at = 0;
    const fetch = answerWith(async () => {
      if (at === groups[group].length) {
        await settled();
        look(group, stateOf(agent.messages, 'streaming'));
        group += 1;
        at = 0;
        if (group === groups.length) return undefined;
      }
      return groups[group][at++];
    });
    const agent = new HttpAgent({ url: 'http://ag-ui.test', threadId: 't-1', fetch });
    await agent.runAgent({ runId: 'r-1' });
    return stateOf(agent.messages, 'completed');
  },

  /** Its messages hold the text of the arguments; it reads them, cut as they are, for whoever asks for them with each event. */
  async toolInput({ chunks }, onDelta) {
    const agent = new HttpAgent({ url: 'http://ag-ui.test', threadId: 't-1', fetch: answerWith(oneByOne(chunks)) });
    await agent.runAgent({ runId: 'r-1' }, {
      onToolCallArgsEvent: ({ partialToolCallArgs }) => onDelta(() => partialToolCallArgs),
    });
    const { function: { name, arguments: args } } = agent.messages.at(-1).toolCalls[0];
    return { name, input: JSON.parse(args) };
  },
};
