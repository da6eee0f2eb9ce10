// The body of an answer that a contestant reads through its own `fetch`.

const HEADERS = { 'content-type': 'text/event-stream', 'x-vercel-ai-ui-message-stream': 'v1' };

/**
 * A `fetch` that answers with what `next()` gives: a chunk, a promise of one, or nothing at the end. Nothing is queued here: whoever
 * is asked for a chunk knows that the one before has been taken.
 */
export const answerWith = (next) => async () => {
  const body = new ReadableStream({
    async pull(controller) {
      const chunk = await next();
      if (chunk) controller.enqueue(chunk);
      else controller.close();
    },
  }, { highWaterMark: 0 });
  return new Response(body, { headers: HEADERS });
};

/** The chunks of a list, one by one. */
export const oneByOne = (chunks) => {
  let at = 0;
  return () => chunks[at++];
};

// Whoever hands chunks on by promises alone is done with them when a task comes round.
const { port1, port2 } = new MessageChannel();
export const settled = () => new Promise((resolve) => {
  port1.onmessage = resolve;
  port2.postMessage(null);
});
