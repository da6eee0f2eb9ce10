// TanStack's processor over its own SSE adapter, with the same run in AG-UI's events. Its ChatClient waits for a timer between
// chunks, and what that takes is the timer's, so it is left out. It reads its partial JSON at every delta, but shows the text alone
// until the call is complete.
import { StreamProcessor, fetchServerSentEvents } from '@tanstack/ai-client';
import { answerWith, oneByOne } from '../lib/body.js';

export default {
  name: 'tanstack',
  title: '@tanstack/ai-client (StreamProcessor, AG-UI events)',
  role: 'peer',
  protocols: ['ag-ui'],

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
