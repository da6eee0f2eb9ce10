// The oracle: what the `ai` package makes of a UI message stream, after every frame.
//
// Its reducer tells of a change only when it "writes", and not every chunk does. But it works on a message that is handed to it
// when an answer goes on, and it takes the next chunk from a source that gathers nothing only when it is done with the last. So
// the source looks at that message before it gives the next chunk: the state after each, whether it writes or not.

import { AbstractChat, UIMessageStreamError, parseJsonEventStream, readUIMessageStream, uiMessageChunkSchema } from 'ai';
import { plain } from './plain.mjs';

/** What is not a chunk at all to the package, but its reducer could take: it refuses members named `__proto__` when it parses. */
const IS_PROTOTYPE_KEY = /forbidden prototype property/;

const read = ({ id, metadata, parts }) => plain({ id, metadata, parts });
const empty = () => ({ id: '', role: 'assistant', metadata: undefined, parts: [] });

/** Each frame as the package's own SSE reader gives it to the reducer: `{ chunk, isForced }` or `{ error }`. */
async function readFrames(frames) {
  const body = new Response(frames.map((json) => `data: ${json}\n\n`).join('')).body;
  const results = [];
  for await (const result of parseJsonEventStream({ stream: body, schema: uiMessageChunkSchema })) {
    const json = frames[results.length];
    if (result.success) results.push({ chunk: result.value, isForced: false });
    else if (IS_PROTOTYPE_KEY.test(result.error.cause?.message)) results.push({ chunk: JSON.parse(json), isForced: true });
    else results.push({ error: result.error.name });
  }
  return results;
}

/** Gives the chunks one by one, and before each, and before the end, says how many were given. */
const sourceOf = (chunks, isAskedAfter) => {
  let given = 0;
  return new ReadableStream({
    pull(controller) {
      isAskedAfter(given);
      // A copy: the reducer keeps data chunks as parts, and changes them.
      if (given < chunks.length) controller.enqueue(structuredClone(chunks[given++]));
      else controller.close();
    },
  }, { highWaterMark: 0 });
};

/** The chat's messages, and nothing of a page. */
class Messages {
  status = 'ready';
  error = undefined;
  #onWrite;

  constructor(message, onWrite) {
    this.messages = [message];
    this.#onWrite = onWrite;
  }

  // The very message that is asked for, so that it can be watched.
  snapshot = (message) => message;
  pushMessage = (message) => { this.messages = [...this.messages, message]; this.#onWrite(message); };
  replaceMessage = (index, message) => { this.messages = this.messages.with(index, message); this.#onWrite(message); };
  popMessage = () => { this.messages = this.messages.slice(0, -1); };
}

/**
 * An answer in a chat, to its end or to the chunk that broke it. `states[n]` is the message after n chunks, `writes` the
 * numbers of the chunks that told of a change.
 */
async function chat(chunks, message = empty()) {
  const states = [];
  const writes = new Set();
  let error = null;
  let finishReason;
  const self = new AbstractChat({
    id: 'chat',
    generateId: () => '',
    state: new Messages(message, () => writes.add(states.length)),
    transport: {
      sendMessages: async () => sourceOf(chunks, () => { states.push(read(message)); }),
      reconnectToStream: async () => null,
    },
    onError: (thrown) => { error = thrown; },
    onFinish: (end) => { finishReason = end.finishReason; },
  });
  await self.sendMessage();
  if (!error && states.length !== chunks.length + 1) throw new Error(`${states.length} states of ${chunks.length} chunks were seen`);
  return { states, writes, error, finishReason };
}

/**
 * Plays frames, JSON texts all, through an answer in a chat.
 *
 * `steps[n]` is what frame n led to: `message` with undefined members dropped; `isWrite`; `error`, the name of what was thrown
 * (`message` is then what it was before, and what follows is played as if the frame had not been there: the package itself
 * stops); `isForced` where the package's SSE reader would have refused what its reducer was given. Nothing comes after an error
 * chunk: `isOver`.
 */
export async function play(frames, { message } = {}) {
  const inputs = await readFrames(frames);
  for (;;) {
    const played = inputs.flatMap(({ error }, n) => (error ? [] : [n]));
    const { states, writes, error, finishReason } = await chat(played.map((n) => inputs[n].chunk), structuredClone(message));
    const brokenBy = error ? played[states.length - 1] : null;
    if (error instanceof UIMessageStreamError) {
      inputs[brokenBy].error = error.name;
      continue;
    }
    if (error && inputs[brokenBy].chunk.type !== 'error') throw error;
    let taken = 0;
    const steps = inputs.map(({ error: skipped, isForced }, n) => {
      const isOver = brokenBy !== null && n > brokenBy;
      if (!skipped && n !== brokenBy && !isOver) taken += 1;
      return {
        message: states[taken],
        isWrite: !skipped && !isOver && n !== brokenBy && writes.has(taken),
        error: n === brokenBy ? error.name : skipped ?? null,
        isForced: Boolean(isForced),
        isOver,
      };
    });
    return { steps, finishReason, error };
  }
}

/** The same reducer behind its other door: the messages that `readUIMessageStream` gives, a copy of its own for each write. */
export async function readMessages(frames, { message = empty() } = {}) {
  const chunks = (await readFrames(frames)).flatMap(({ chunk }) => (chunk ? [chunk] : []));
  const messages = [];
  const stream = sourceOf(chunks, () => {});
  for await (const state of readUIMessageStream({ stream, message: structuredClone(message) })) messages.push(state);
  // Copied at the end only: a message that a later chunk had changed would show.
  return messages.map(read);
}
