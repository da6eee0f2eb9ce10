// TanStack's processor over its own SSE adapter, with the same run in AG-UI's events. Its ChatClient waits for a timer between
// chunks, and what that takes is the timer's, so it is left out. It reads its partial JSON at every delta, but shows the text alone
// until the call is complete.
import { StreamProcessor, fetchServerSentEvents } from '@tanstack/ai-client';
import { answerWith, oneByOne, settled } from '../lib/body.js';

const join = (parts, wanted) => parts.filter(({ type }) => type === wanted).map(({ content }) => content).join('');

const stateOf = (messages, status) => {
  const parts = messages.flatMap((message) => message.parts);
  const results = new Map(parts.filter(({ type }) => type === 'tool-result').map(({ toolCallId, content }) => [toolCallId, content]));
  return {
    status,
    text: join(parts, 'text'),
    reasoning: join(parts, 'thinking'),
    tools: parts.filter(({ type }) => type === 'tool-call')
      .map(({ id, name, arguments: args }) => ({ callId: id, name, arguments: args, result: results.get(id) })),
  };
};

export default {
  name: 'tanstack',
  title: '@tanstack/ai-client (StreamProcessor, AG-UI events)',
  role: 'peer',
  protocols: ['ag-ui'],

  async catchUp({ groups, look }) {
    const processor = new StreamProcessor({});
    let group = 0;
    let at = 0;
    const fetchClient = answerWith(async () => {
      if (at === groups[group].length) {
        await settled();
        look(group, stateOf(processor.getMessages(), 'streaming'));
        group += 1;
        at = 0;
        if (group === groups.length) return undefined;
      }
      return groups[group][at++];
    });
    for await (const chunk of fetchServerSentEvents('/chat', { fetchClient }).connect([])) processor.processChunk(chunk);
    return stateOf(processor.getMessages(), 'completed');
  },

  async toolInput({ chunks }, onDelta) {
    let last;
    const processor = new StreamProcessor({
      events: {
        onMessagesChange(messages) {
          last = messages.at(-1)?.parts.at(-1);
          if (last?.state === 'input-streaming') onDelta(() => last.arguments);
        },
      },
    });
    const adapter = fetchServerSentEvents('/chat', { fetchClient: answerWith(oneByOne(chunks)) });
    for await (const chunk of adapter.connect([])) processor.processChunk(chunk);
    return { name: last.name, input: JSON.parse(last.arguments) };
  },
};
