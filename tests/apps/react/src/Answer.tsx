import { memo } from 'react';
import type { Part, RunStatus, RunViewSnapshot } from 'steadystream';
import type { Answer, Turn } from './chats';

/** An answer as it comes. What does not change any more is the same object for ever, so that it renders once. */
export function LiveAnswer({ run, onRetry }: { run: RunViewSnapshot; onRetry: () => void }) {
  const isOver = run.status === 'interrupted' || run.status === 'none' || (run.status === 'idle' && run.error !== null);
  return (
    <div className="answer" aria-busy={!isOver}>
      {run.parts.map((part, i) => <PartView key={i} part={part} />)}
      {run.status === 'pending' && <p className="note">Thinking…</p>}
      {run.connection.state === 'reconnecting' && <p className="note">The connection was lost; what is here stays, the rest will come.</p>}
      {isOver && <Trouble words={run.error?.message ?? 'No answer is under way.'} onRetry={onRetry} />}
    </div>
  );
}

const PartView = memo(function PartView({ part }: { part: Part }) {
  switch (part.type) {
    case 'text': return <p className="block" data-state={part.state}>{part.text.trim()}</p>;
    case 'reasoning': return <details className="note"><summary>{part.state === 'done' ? 'Thought' : 'Thinking…'}</summary>{part.text}</details>;
    case 'tool': return <p className="note">{part.name}{part.state === 'running' ? ' …' : part.state === 'failed' ? `: ${part.error}` : ' ✓'}</p>;
    default: return null;
  }
});

const WORDS: Partial<Record<RunStatus, string>> = { cancelled: 'Stopped.', failed: 'The answer failed.' };

/** An answer that is over. */
export const StoredAnswer = memo(function StoredAnswer({ turn, answer, onRetry }: { turn: Turn; answer: Answer; onRetry: (turn: Turn) => void }) {
  const words = WORDS[answer.status];
  return (
    <div className="answer" data-status={answer.status}>
      {answer.blocks.map((text, i) => <p className="block" key={i}>{text.trim()}</p>)}
      {words && <Trouble words={answer.error ?? words} onRetry={() => onRetry(turn)} />}
    </div>
  );
});

function Trouble({ words, onRetry }: { words: string; onRetry: () => void }) {
  return <p className="trouble" role="alert">{words} <button onClick={onRetry}>Retry</button></p>;
}
