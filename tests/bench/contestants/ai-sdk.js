// The AI SDK's chat with its own transport and SSE reader, and a list of messages that copies nothing: its bindings for React and
// others do, so this is the least that it costs.
import { AbstractChat, DefaultChatTransport } from 'ai';
import { answerWith, oneByOne, settled } from '../lib/body.js';

class Messages {
  status = 'ready';
  error = undefined;
  messages = [];
  onWrite = () => {};

  snapshot = (message) => message;
  pushMessage = (message) => { this.messages = [...this.messages, message]; this.onWrite(message); };
  replaceMessage = (index, message) => { this.messages = this.messages.with(index, message); this.onWrite(message); };
  popMessage = () => { this.messages = this.messages.slice(0, -1); };
}

const stateOf = (message, status) => {
  const parts = message?.parts ?? [];
  let text = '';
  for (const part of parts) if (part.type === 'text') text += part.text;
  return { status, text, parts };
};

/** One answer to its end: the message. */
const converse = async (fetch, state) => {
  let error;
  const chat = new AbstractChat({
    id: 'chat', state, transport: new DefaultChatTransport({ fetch }), onError: (thrown) => { error = thrown; },
  });
  await chat.sendMessage({ text: 'go' });
  if (error) throw error;
  return state.messages.at(-1);
};

export default {
  name: 'ai-sdk',
  title: 'AI SDK (AbstractChat, DefaultChatTransport)',
  role: 'peer',
  protocols: ['ui-message'],

  async catchUp({ groups, look }) {
    const state = new Messages();
    let group = 0;
    let at = 0;
    const message = await converse(answerWith(async () => {
      if (at === groups[group].length) {
        await settled();
        look(group, stateOf(state.messages[1], 'streaming'));
        group += 1;
        at = 0;
        if (group === groups.length) return undefined;
      }
      return groups[group][at++];
    }), state);
    return stateOf(message, 'completed');
  },

  hold: async (next) => stateOf(await converse(answerWith(next), new Messages()), 'completed'),

  async toolInput({ chunks }, onDelta) {
    const state = new Messages();
    state.onWrite = ({ parts }) => {
      const part = parts.at(-1);
      if (part?.input !== undefined && part.state === 'input-streaming') onDelta(() => part.input);
    };
    const { parts } = await converse(answerWith(oneByOne(chunks)), state);
    const { type, input } = parts.at(-1);
    return { name: type.slice('tool-'.length), input };
  },
};
