import { useCallback } from 'react';
import { useRun } from 'steadystream/react';
import { LiveAnswer, StoredAnswer } from './Answer';
import { chats, type Chat, type Turn } from './chats';
import { client } from './client';
import { Composer } from './Composer';

export function ChatView({ chat }: { chat: Chat }) {
  // Whatever runs in this session: what was sent from here, what a reload has found, what the server says. Nothing is opened twice.
  const name = { sessionId: chat.id };
  const run = useRun(client, name);
  const isLive = run.status === 'pending' || run.status === 'streaming' || run.status === 'waiting';
  const open = chat.turns.findLast(({ answer }) => answer === null);

  const send = (question: string) => {
    const { requestId } = chats.ask(chat.id, question);
    client.send(chat.id, question, { requestId });
  };
  // The stream goes on after its cursor where it can; else the question is sent again, under the id that it had.
  const retry = () => {
    if (run.status === 'interrupted') client.run(name).retry();
    else if (open) client.send(chat.id, open.question, { requestId: open.requestId });
  };
  const askAgain = useCallback(({ question, requestId }: Turn) => {
    client.send(chat.id, question, { requestId: chats.reopen(chat.id, requestId) });
  }, [chat.id]);

  return (
    <>
      <div className="log">
        {/* Where a server keeps the messages: `useStore(client.messages(chat.id))` has those before these, page by page, and loadOlder(). */}
        <ol aria-label="Messages">
          {chat.turns.map((turn) => (
            <li key={turn.requestId}>
              <p className="question">{turn.question}</p>
              {turn.answer && <StoredAnswer turn={turn} answer={turn.answer} onRetry={askAgain} />}
              {turn === open && <LiveAnswer run={run} onRetry={retry} />}
            </li>
          ))}
        </ol>
      </div>
      <Composer isLive={isLive} onSend={send} onStop={() => void client.run(name).stop()} />
    </>
  );
}
