// The chats of this browser and what was said in them. An app with a server of its own loads both from there instead, page by page; what
// components need of it is what they need of every store: subscribe and getSnapshot.
import type { RunStatus, Store } from 'steadystream';

export interface Answer {
  readonly status: RunStatus;
  readonly blocks: readonly string[];
  readonly error: string | null;
}

export interface Turn {
  /** Makes the send idempotent: the same question under the same id is asked once, however often it is sent. */
  readonly requestId: string;
  readonly question: string;
  /** `null` as long as it is under way. */
  readonly answer: Answer | null;
}

export interface Chat {
  readonly id: string;
  readonly turns: readonly Turn[];
}

const KEY = 'steadystream-example';

class Chats implements Store<readonly Chat[]> {
  #listeners = new Set<(chats: readonly Chat[]) => void>();
  #chats: readonly Chat[] = JSON.parse(localStorage.getItem(KEY) ?? '[]');

  subscribe = (listener: (chats: readonly Chat[]) => void) => {
    this.#listeners.add(listener);
    listener(this.#chats);
    return () => { this.#listeners.delete(listener); };
  };
  getSnapshot = () => this.#chats;
  getServerSnapshot = () => NONE;

  add(): string {
    const id = crypto.randomUUID();
    this.#set([{ id, turns: [] }, ...this.#chats]);
    return id;
  }

  ask(id: string, question: string): Turn {
    const turn = { requestId: crypto.randomUUID(), question, answer: null };
    this.#change(id, (turns) => [...turns, turn]);
    return turn;
  }

  /** The last question that was open has its answer. */
  settle(id: string, answer: Answer) {
    this.#change(id, (turns) => {
      const open = turns.findLastIndex((turn) => turn.answer === null);
      return turns.map((turn, i) => (i === open ? { ...turn, answer } : turn));
    });
  }

  /** Takes an answer back, for another: gives the id of the new request. */
  reopen(id: string, requestId: string): string {
    const next = crypto.randomUUID();
    this.#change(id, (turns) => turns.map((turn) => (turn.requestId === requestId ? { ...turn, requestId: next, answer: null } : turn)));
    return next;
  }

  #change(id: string, next: (turns: readonly Turn[]) => readonly Turn[]) {
    this.#set(this.#chats.map((chat) => (chat.id === id ? { ...chat, turns: next(chat.turns) } : chat)));
  }

  #set(chats: readonly Chat[]) {
    this.#chats = chats;
    localStorage.setItem(KEY, JSON.stringify(chats));
    for (const listener of [...this.#listeners]) listener(chats);
  }
}

const NONE: readonly Chat[] = [];

export const chats = new Chats();

export const titleOf = ({ turns }: Chat) => turns[0]?.question ?? 'New chat';
