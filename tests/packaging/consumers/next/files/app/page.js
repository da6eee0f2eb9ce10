import { Run } from './run';

// For each request: what is made while building would not show what a server does.
export const dynamic = 'force-dynamic';

export default function Page() {
  return <Run />;
}
