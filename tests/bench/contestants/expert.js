// What an expert writes by hand: a streaming decoder, the best SSE parser there is, JSON.parse, `+=`.
import { createParser } from 'eventsource-parser';
import { Fold } from '../lib/fold.js';

export default {
  name: "expert's JS",
  title: "the expert's JS (eventsource-parser + JSON.parse)",
  role: 'reference',

  open() {
    const fold = new Fold();
    const decoder = new TextDecoder();
    const parser = createParser({
      onEvent({ id, event, data }) {
        if (id) fold.cursor = id;
        const payload = JSON.parse(data);
        fold.apply(payload.type || event, payload);
      },
    });
    return {
      push: (bytes) => parser.feed(decoder.decode(bytes, { stream: true })),
      snapshot: () => fold.snapshot(),
      close() {},
    };
  },
};
