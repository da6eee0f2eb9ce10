// Answers to what a run waits for: questions, over the server's RPC endpoint (B-Q-1), and requests for permission (2.1). These calls
// never throw: an answer form needs a result to show, not an exception to catch.
import { SteadyStreamError, invalid } from './errors.js';
import { createRequestId } from './request-id.js';
import { headerSource } from './headers.js';
import { request } from './request.js';

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

const post = ({ rpc, headers }, signal, url, body) => request({ ...rpc, headers: headerSource(headers) }, 'POST', url, {
  body,
  signal,
  read: (response) => {
    if (!response.ok) throw new SteadyStreamError('http-status', { status: response.status });
    return response.json();
  },
});

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
