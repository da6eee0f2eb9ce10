// The expert's parser in front of what hooks do: the index is gathered, each update makes a new Map out of the old one.
import { createParser } from 'eventsource-parser';

const isOver = (status) => status !== 'queued' && status !== 'streaming';

const reduce = (old, row) => {
  const held = old.get(row.sessionId);
  if (held ? row.updatedAt <= held.updatedAt : isOver(row.status)) return old;
  if (isOver(row.status) && row.runId !== held.runId) return old;
  const next = new Map(old);
  if (isOver(row.status)) next.delete(row.sessionId);
  else next.set(row.sessionId, row);
  return next;
};

export default {
  name: 'hooks',
  title: 'a Map copied per update, as hooks do (extrapolated)',
  role: 'peer',
  protocols: ['active-runs'],
  mostUpdates: 300,

  open() {
    let rows = new Map();
    let staged = [];
    const decoder = new TextDecoder();
    const parser = createParser({
      onEvent({ event, data }) {
        const row = JSON.parse(data);
        if (event === 'snapshot') staged.push(row);
        else rows = reduce(flush(), row);
      },
    });
    const flush = () => {
      if (staged.length === 0) return rows;
      rows = new Map(rows);
      for (const row of staged) rows.set(row.sessionId, row);
      staged = [];
      return rows;
    };
    return {
      push: (bytes) => parser.feed(decoder.decode(bytes, { stream: true })),
      snapshot: () => ({ runs: [...flush().values()] }),
      close() {},
    };
  },
};
