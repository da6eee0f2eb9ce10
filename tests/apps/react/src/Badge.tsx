import { useEffect, useState } from 'react';
import { useConnection } from 'steadystream/react';
import { client } from './client';

const WORDS = {
  connecting: 'Connecting', open: 'Connected', reconnecting: 'Reconnecting', offline: 'Offline', closed: 'Idle', failed: 'Connection failed',
};

export function Badge() {
  const { state, retryAt, error } = useConnection(client);
  const seconds = useCountdown(retryAt);
  return (
    <p className="badge" data-state={state} title={error?.message}>
      {/* The countdown is not read out: only the state is news. */}
      <span role="status">{WORDS[state]}</span>
      {seconds > 0 && <span aria-hidden="true">in {seconds} s</span>}
    </p>
  );
}

/** Whole seconds until then, 0 when there is nothing to wait for. */
function useCountdown(until: number | null) {
  const [now, setNow] = useState(Date.now);
  useEffect(() => {
    if (until === null) return undefined;
    setNow(Date.now());
    const timer = setInterval(() => setNow(Date.now()), 250);
    return () => clearInterval(timer);
  }, [until]);
  return until === null ? 0 : Math.max(0, Math.ceil((until - now) / 1000));
}
