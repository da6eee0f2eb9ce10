import { startTransition, useCallback, useState } from 'react';
import { useStore } from 'steadystream/react';
import { Badge } from './Badge';
import { ChatView } from './ChatView';
import { chats, titleOf } from './chats';
import { Sidebar } from './Sidebar';

export function App() {
  const all = useStore(chats);
  const [id, show] = useState(() => location.hash.slice(1));
  const chat = all.find((one) => one.id === id);

  // A transition: an answer that streams does not hold up a switch, and a switch does not hold up the answer.
  const open = useCallback((next: string) => {
    history.replaceState(null, '', `#${next}`);
    startTransition(() => show(next));
  }, []);
  return (
    <>
      <Sidebar chats={all} current={id} onOpen={open} onNew={() => open(chats.add())} />
      <main>
        <header>
          <h1>{chat ? titleOf(chat) : 'A chat that holds'}</h1>
          <Badge />
        </header>
        {chat
          ? <ChatView key={chat.id} chat={chat} />
          : <div className="empty"><p>Ask something. Cut the connection, reload, come back: the answer will be whole.</p><button className="primary" onClick={() => open(chats.add())}>New chat</button></div>}
      </main>
    </>
  );
}
