// The AI SDK's own client, as the judge of servers: it refuses chunks that its schema does not know.

import { DefaultChatTransport, readUIMessageStream } from 'ai';

/** The chunks of an answer to `text`. */
export const ask = (api, chatId, text = 'why?') => transport(api).sendMessages({
  trigger: 'submit-message',
  chatId,
  messages: [{ id: 'u-1', role: 'user', parts: [{ type: 'text', text }] }],
});

/** The chunks of the answer that runs, from its first one; `null` if there is none. */
export const resume = (api, chatId) => transport(api).reconnectToStream({ chatId });

/** The message that the SDK's reducer makes of chunks; `onChunk` sees each of them first. What is undefined is left out. */
export async function fold(chunks, onChunk = () => {}) {
  const seen = new TransformStream({
    transform(chunk, controller) {
      onChunk(chunk);
      controller.enqueue(chunk);
    },
    // Not every chunk makes the reducer tell its state; this one does, and changes nothing.
    flush: (controller) => controller.enqueue({ type: 'message-metadata', messageMetadata: {} }),
  });
  let message;
  let error;
  const snapshots = readUIMessageStream({ stream: chunks.pipeThrough(seen), onError: (cause) => { error ??= cause.message; } });
  for await (const snapshot of snapshots) message = snapshot;
  return { message: JSON.parse(JSON.stringify(message)), error };
}

const transport = (api) => new DefaultChatTransport({ api });
