// Text behind a tool is another piece of text than that before it (S-SEG-1): each has an id of its own.

const TEXT = /^TEXT_MESSAGE_/;
const TOOL = /^(TOOL_CALL_(START|END)|tool-input-available|tool_call|tool-result|tool_result)$/;

/** Gives a function that adds `segmentId` to the chunks of text that have none. */
export const segmenter = (messageId) => {
  let number = 0;
  let isBehindTool = false;
  return (chunk) => {
    if (TOOL.test(chunk.type)) isBehindTool = true;
    if (!TEXT.test(chunk.type) || chunk.segmentId !== undefined) return chunk;
    if (isBehindTool) number += 1;
    isBehindTool = false;
    return { ...chunk, segmentId: `${messageId}:text-${number}` };
  };
};
