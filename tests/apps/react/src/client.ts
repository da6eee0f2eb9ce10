// One client for the whole app. Making it opens nothing: components do, by what they show.
import { RunClient } from 'steadystream';
import { chats } from './chats';

export const client = new RunClient({
  baseUrl: '/bi-chat',
  persist: 'session',       // a reload goes on where the page was
  // Also of runs that nobody looks at. What was only left is not over.
  onSettled(run) {
    const { sessionId, status, blocks, error } = run.getSnapshot();
    if (status !== 'interrupted') chats.settle(sessionId, { status, blocks: blocks.map(({ text }) => text), error: error?.message ?? null });
  },
});
