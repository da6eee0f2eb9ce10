// Chunks, and what one contestant makes of them: all that a page of its own needs.

const LOOK_EVERY = 65536;

/** The chunks, copies of their own as the network gives them, in one group for each look. */
export const cut = (bytes, size) => {
  const groups = [[]];
  let looked = 0;
  for (let at = 0; at < bytes.length; at += size) {
    const end = Math.min(at + size, bytes.length);
    groups.at(-1).push(bytes.slice(at, end));
    if (end - looked >= LOOK_EVERY && end < bytes.length) {
      groups.push([]);
      looked = end;
    }
  }
  return groups;
};

export const feed = (contestant, { groups, protocol, look }) => {
  const reader = contestant.open(protocol);
  let snapshot;
  for (let i = 0; i < groups.length; i++) {
    for (const chunk of groups[i]) reader.push(chunk);
    snapshot = reader.snapshot();
    look(i, snapshot);
  }
  reader.close();
  return snapshot;
};

// A string that was put together is one only when it is read.
const flatten = (text) => text.charCodeAt(text.length >> 1);

/** The state, with its strings in one piece. */
export const read = (state) => {
  flatten(state.text);
  for (const part of state.parts ?? []) if (part.text) flatten(part.text);
  return state;
};
