// What is rendered on a server and taken up in the page.
import { defineComponent, h } from 'vue';
import { useActiveRuns, useConnection, useRun } from 'steadystream/vue';

export const Chat = defineComponent({
  props: ['client'],
  setup({ client }) {
    const run = useRun(client, { sessionId: 's' });
    const badge = useConnection(client);
    const active = useActiveRuns(client);
    return () => h('section', [
      h('p', { id: 'text' }, run.value.text),
      run.value.status === 'idle' ? null : h('i', { id: 'status' }, run.value.status),
      h('b', { id: 'badge' }, badge.value.state),
      h('ul', active.value.runs.map(({ sessionId, status }) => h('li', { key: sessionId }, status))),
    ]);
  },
});
