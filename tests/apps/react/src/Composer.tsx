import { useState, type FormEvent, type KeyboardEvent } from 'react';

interface Props {
  isLive: boolean;
  onSend: (question: string) => void;
  onStop: () => void;
}

export function Composer({ isLive, onSend, onStop }: Props) {
  const [text, setText] = useState('');
  const send = (event?: FormEvent) => {
    event?.preventDefault();
    if (isLive || text.trim() === '') return;
    onSend(text.trim());
    setText('');
  };
  // Enter sends, Shift+Enter is a new line; an input method's own Enter is neither.
  const onKeyDown = (event: KeyboardEvent) => {
    if (event.key !== 'Enter' || event.shiftKey || event.nativeEvent.isComposing) return;
    event.preventDefault();
    send();
  };
  return (
    <form onSubmit={send}>
      <textarea aria-label="Your message" placeholder="Ask something" rows={1} autoFocus value={text} onChange={(event) => setText(event.target.value)} onKeyDown={onKeyDown} />
      {isLive ? <button type="button" onClick={onStop}>Stop</button> : <button className="primary" disabled={text.trim() === ''}>Send</button>}
    </form>
  );
}
