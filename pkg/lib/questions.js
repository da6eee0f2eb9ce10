// Answers to what a run waits for: questions, over the server's RPC endpoint (B-Q-1), and requests for permission (2.1). These calls
// never throw: an answer form needs a result to show, not an exception to catch.
import { SteadyStreamError, invalid } from './errors.js';
import { createRequestId } from './request-id.js';
import { headerSource } from './headers.js';

const OPERATIONS = ['question_submit', 'question_reject', 'session_compact'];

/** `{qid: {options, customText}}` -> `{qid: string}`: own words win over ticked options; an unanswered question is left out. */
export const foldAnswers = (answers) => {
  const folded = {};
  for (const [id, { options, customText }] of Object.entries(answers)) {
    const text = customText?.trim() ? customText : (options ?? []).join(', ');
    if (text) folded[id] = text;
  }
  return folded;
};

// `body`: a text, which is JSON, or a form.
const post = async ({ rpc: { credentials, timeoutMs }, headers: headerOption }, signal, url, body) => {
  const controller = new AbortController();
  const abort = () => controller.abort();
  const timer = setTimeout(abort, Math.min(timeoutMs, 0x7fffffff));
  signal?.addEventListener('abort', abort);
  try {
    if (signal?.aborted) throw new SteadyStreamError('aborted');
    const headers = (await headerSource(headerOption)?.()) ?? new Headers();
    if (typeof body === 'string') headers.set('Content-Type', 'application/json');
    else headers.delete('Content-Type');
    const response = await fetch(url, { method: 'POST', body, headers, credentials, signal: controller.signal });
    if (!response.ok) throw new SteadyStreamError('http-status', { status: response.status });
    return await response.json();
  } catch (cause) {
    if (cause instanceof SteadyStreamError) throw cause;
    // Whose abort it was decides, not what the browser calls it.
    const code = signal?.aborted ? 'aborted' : controller.signal.aborted ? 'request-timeout' : 'request-failed';
    throw new SteadyStreamError(code, { cause, retryable: true });
  } finally {
    clearTimeout(timer);
    signal?.removeEventListener('abort', abort);
    // A body that nobody reads would keep its connection.
    abort();
  }
};

const isAccepted = (data) => data?.accepted === true && OPERATIONS.includes(data.operation)
  && typeof data.sessionId === 'string' && typeof data.runId === 'string' && data.sessionId !== '' && data.runId !== '';

const failure = (cause) => {
  const error = cause instanceof SteadyStreamError ? cause : new SteadyStreamError('request-failed', { cause });
  return { success: false, error };
};

// At most so many characters of answers go with a permission.
const LONGEST_ANSWERS = 50_000;

/** `makeAnswer()`: `{ path, optionId, alternativeInstruction, userAnswers }`; as below. */
export const callPermission = async (options, signal, makeAnswer) => {
  try {
    const { path, optionId, alternativeInstruction, userAnswers } = makeAnswer();
    const form = new FormData();
    form.set('option_id', optionId);
    if (alternativeInstruction !== undefined) form.set('alternative_instruction', alternativeInstruction);
    if (userAnswers !== undefined) {
      const text = JSON.stringify(userAnswers);
      if (!(text?.length <= LONGEST_ANSWERS)) throw invalid('userAnswers', userAnswers, `an object of at most ${LONGEST_ANSWERS} characters of JSON`);
      form.set('user_answers', text);
    }
    const reply = await post(options, signal, options.raw.baseUrl + path, form);
    if (reply?.success === true) return { success: true };
    return failure(new SteadyStreamError('request-failed', { detail: 'not accepted' }));
  } catch (cause) {
    return failure(cause);
  }
};

/** `makeParams` runs inside, so that wrong input becomes a failure like any other. */
export const callQuestion = async (options, signal, method, makeParams) => {
  try {
    const body = JSON.stringify({ id: createRequestId(), method, params: makeParams() });
    const reply = await post(options, signal, options.rpc.url, body);
    const data = reply?.result ?? reply;
    if (isAccepted(data)) return { success: true, data };
    const detail = typeof reply?.error === 'string' ? reply.error : reply?.error?.message;
    return failure(new SteadyStreamError('request-failed', { detail: detail ?? 'not accepted' }));
  } catch (cause) {
    return failure(cause);
  }
};
