// An app of the AI SDK: useChat over our transport, as its documentation has it. The test drives it by `app` and reads what it shows.
import { StrictMode, createElement, useState } from 'react';
import { createRoot } from 'react-dom/client';
import { Chat, useChat } from '@ai-sdk/react';
import { SteadyChatTransport } from '../../../pkg/ai-sdk.js';

const query = new URLSearchParams(location.search);
const id = query.get('chat');
const transport = new SteadyChatTransport({
  api: query.get('api'), credentials: 'omit', retry: { baseMs: 20, capMs: 200 }, ...(query.has('detach') && { onAbort: 'detach' }),
  ...(query.has('persist') && { persist: 'session' }),
});
// What an app would have loaded: the messages that were there before the answer.
const stored = () => JSON.parse(sessionStorage.getItem(id) ?? '[]');
const outer = query.has('outer') ? { chat: new Chat({ id, transport, messages: stored() }) } : null;
const ends = [];

function Conversation() {
  const chat = useChat({
    ...(outer ?? { id, transport, messages: stored(), onFinish: ({ isAbort, isError }) => { ends.push(isAbort ? 'abort' : isError ? 'error' : 'end'); } }),
    resume: query.has('resume') || app.mounts > 1,
  });
  app.now = { status: chat.status, messages: chat.messages, error: chat.error && { code: chat.error.code, message: chat.error.message } };
  app.ask = (text) => {
    sessionStorage.setItem(id, JSON.stringify([{ id: 'u', role: 'user', parts: [{ type: 'text', text }] }]));
    void chat.sendMessage({ text });
  };
  app.stop = chat.stop;
  return createElement('p', { id: 'answer' }, chat.messages.at(-1)?.parts.map(({ text = '' }) => text).join(''));
}

function Page() {
  const [isShown, show] = useState(true);
  app.show = (shown) => {
    if (shown) app.mounts += 1;
    else app.now = null;
    show(shown);
  };
  return isShown ? createElement(Conversation) : null;
}

const app = { mounts: 1, now: null, ends, transport };
globalThis.app = app;
const page = createElement(Page);
createRoot(document.getElementById('root')).render(query.has('strict') ? createElement(StrictMode, null, page) : page);
