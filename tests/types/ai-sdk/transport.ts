// The transport for the AI SDK: what must compile against its types, and what must not.
import type { ChatTransport, UIMessage } from 'ai';
import { RunClient } from 'steadystream';
import { SteadyChatTransport } from 'steadystream/ai-sdk';

type Message = UIMessage<{ model: string }, { notice: { text: string } }>;

const chat: ChatTransport<UIMessage> = new SteadyChatTransport();
const own: ChatTransport<Message> = new SteadyChatTransport<Message>({
  api: new URL('https://a.example/api/chat'),
  headers: async () => ({ Authorization: 'Bearer t' }),
  credentials: 'same-origin',
  retry: { baseMs: 500 },
  liveness: { stallMs: 20_000 },
  replay: { ttlMs: 60_000, maxBytes: Infinity },
  onAbort: 'detach',
  prepareBody: ({ id, messages, trigger, messageId, body, requestMetadata }) => (
    { ...body, last: messages.at(-1)?.metadata?.model, id, trigger, messageId, requestMetadata }),
});
using given = new SteadyChatTransport({ client: new RunClient({ baseUrl: '/api/chat', protocol: 'ui-message' }), replay: {} });
given.stop('chat').then(() => given.close());
given.reconnectToStream({ chatId: 'chat' }).then((stream) => stream?.getReader());
// @ts-expect-error there may be none
given.reconnectToStream({ chatId: 'chat' }).then((stream) => stream.getReader());

// @ts-expect-error a client has its own
new SteadyChatTransport({ client: new RunClient({ baseUrl: '' }), api: '/api/chat' });
// @ts-expect-error it is api here
new SteadyChatTransport({ baseUrl: '/api/chat' });
// @ts-expect-error there is one protocol
new SteadyChatTransport({ protocol: 'bichat' });
// @ts-expect-error the unit is in the name
new SteadyChatTransport({ replay: { ttl: 1 } });
// @ts-expect-error no such meaning
new SteadyChatTransport({ onAbort: 'pause' });
// @ts-expect-error a body is an object
new SteadyChatTransport({ prepareBody: () => 'text' });
// @ts-expect-error the message's type is checked
new SteadyChatTransport<Message>({ prepareBody: ({ messages }) => ({ m: messages[0]?.metadata?.tokens }) });
// @ts-expect-error it is a fact
given.resumeStreamIsReplay = false;

export { chat, own };
