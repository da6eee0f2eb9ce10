// The chats of this browser and what was said in them: a chat is `{ id, turns: [{ requestId, question, answer }] }`, and an answer is `null` as
// long as it is under way. An app with a server of its own loads both from there instead, page by page; components need a store of it.
import { get, writable } from 'svelte/store';

const KEY = 'steadystream-example';

const all = writable(JSON.parse(localStorage.getItem(KEY) ?? '[]'));
all.subscribe((chats) => localStorage.setItem(KEY, JSON.stringify(chats)));

const change = (id, next) => all.update((chats) => chats.map((chat) => (chat.id === id ? { ...chat, turns: next(chat.turns) } : chat)));

export const chats = {
  subscribe: all.subscribe,

  add() {
    const id = crypto.randomUUID();
    all.set([{ id, turns: [] }, ...get(all)]);
    return id;
  },

  /** Gives the id that makes the send idempotent: the same question under the same id is asked once, however often it is sent. */
  ask(id, question) {
    const requestId = crypto.randomUUID();
    change(id, (turns) => [...turns, { requestId, question, answer: null }]);
    return requestId;
  },

  /** The last question that was open has its answer. */
  settle(id, answer) {
    change(id, (turns) => {
      const open = turns.findLastIndex((turn) => turn.answer === null);
      return turns.map((turn, i) => (i === open ? { ...turn, answer } : turn));
    });
  },

  /** Takes an answer back, for another: gives the id of the new request. */
  reopen(id, old) {
    const requestId = crypto.randomUUID();
    change(id, (turns) => turns.map((turn) => (turn.requestId === old ? { ...turn, requestId, answer: null } : turn)));
    return requestId;
  },
};

export const titleOf = ({ turns }) => turns[0]?.question ?? 'New chat';
