// What an expert writes by hand: a streaming decoder, the best SSE parser there is, JSON.parse, `+=`.
import { createParser } from 'eventsource-parser';
import { ActiveMap } from '../lib/active-map.js';
import { Fold } from '../lib/fold.js';
import { UiFold } from '../lib/ui-fold.js';

const FOLDS = {
  bichat() {
    const fold = new Fold();
    const onEvent = ({ id, event, data }) => {
      if (id) fold.cursor = id;
      const payload = JSON.parse(data);
      fold.apply(payload.type || event, payload);
    };
    return { fold, onEvent };
  },
  'ui-message'() {
    const fold = new UiFold();
    return { fold, onEvent: ({ data }) => { if (data !== '[DONE]') fold.apply(JSON.parse(data)); } };
  },
  'active-runs'() {
    const fold = new ActiveMap();
    return { fold, onEvent: ({ data }) => fold.apply(JSON.parse(data)) };
  },
};

const open = (protocol = 'bichat') => {
  const { fold, onEvent } = FOLDS[protocol]();
  const decoder = new TextDecoder();
  const parser = createParser({ onEvent });
  return {
    push: (bytes) => parser.feed(decoder.decode(bytes, { stream: true })),
    snapshot: () => fold.snapshot(),
    close() {},
  };
};

export default {
  name: "expert's JS",
  title: "the expert's JS (eventsource-parser + JSON.parse)",
  role: 'reference',
  protocols: ['bichat', 'ui-message', 'active-runs'],

  open,

  async hold(next) {
    const reader = open('bichat');
    for (let chunk = await next(); chunk; chunk = await next()) reader.push(chunk);
    return reader.snapshot();
  },

  /** Everybody is told of each event. */
  async live(url, notify) {
    const reader = open('bichat');
    const body = (await fetch(url)).body.getReader();
    for (;;) {
      const { done, value } = await body.read();
      if (done) return;
      reader.push(value);
      notify(reader.snapshot());
    }
  },
};
