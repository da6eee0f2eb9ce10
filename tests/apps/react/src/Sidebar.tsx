import { memo } from 'react';
import { useActiveRunStatus } from 'steadystream/react';
import { client } from './client';
import { titleOf, type Chat } from './chats';

const WORDS = { queued: 'queued', streaming: 'answering', completed: 'answered', cancelled: 'stopped', failed: 'failed' };

// One feed for all rows, open while one of them is shown.
const activeRuns = client.activeRuns();

interface Props {
  chats: readonly Chat[];
  current: string;
  onOpen: (id: string) => void;
  onNew: () => void;
}

export function Sidebar({ chats, current, onOpen, onNew }: Props) {
  return (
    <aside>
      <button className="new" onClick={onNew}>New chat</button>
      {/* Here belongs what loads more: the list of sessions, page by page. */}
      <nav aria-label="Chats">
        <ul>
          {chats.map((chat) => <Row key={chat.id} id={chat.id} title={titleOf(chat)} isCurrent={chat.id === current} onOpen={onOpen} />)}
        </ul>
      </nav>
    </aside>
  );
}

interface RowProps {
  id: string;
  title: string;
  isCurrent: boolean;
  onOpen: (id: string) => void;
}

// Renders when its own run changes, whatever the others do.
const Row = memo(function Row({ id, title, isCurrent, onOpen }: RowProps) {
  const status = useActiveRunStatus(activeRuns, id);
  return (
    <li>
      <button aria-current={isCurrent || undefined} onClick={() => onOpen(id)}>
        <span className="title">{title}</span>
        {status && <span className="dot" data-status={status} role="img" aria-label={WORDS[status]} title={WORDS[status]} />}
      </button>
    </li>
  );
});
