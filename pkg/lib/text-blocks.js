// Cutting stored text into the blocks it was streamed in, by the offsets in its metadata (B-TB).
import { engine, guard } from './instance.js';
import { invalid } from './errors.js';

const block = (text, seq) => Object.freeze({ seq, text });

export const splitIntoTextBlocks = (content, offsets, { unit = 'utf16' } = {}) => {
  if (typeof content !== 'string') throw invalid('content', content, 'a string');
  if (unit !== 'utf16' && unit !== 'bytes') throw invalid('unit', unit, "'utf16' or 'bytes'");
  if (content === '') return [];                                                    // B-TB-1
  const numbers = (offsets ?? []).filter((offset) => typeof offset === 'number');
  if (numbers.length === 0) return [block(content, 0)];                             // B-TB-2
  const glue = engine();
  const ends = [...guard(() => glue.cut_points(content, Float64Array.from(numbers), unit === 'bytes'))];
  // A cut at the very end leaves no remainder.
  if (ends.at(-1) !== content.length) ends.push(content.length);
  return ends.map((end, i) => block(content.slice(i ? ends[i - 1] : 0, end), i));
};

// B-TB-4: metadata is whatever the server stored, so nothing about it is taken for granted.
export const readTextBlockOffsets = (metadata) => {
  const offsets = metadata?.text_block_offsets;
  if (!Array.isArray(offsets)) return [];
  return offsets.filter((offset) => Number.isFinite(offset) && offset >= 0).map(Math.floor);
};
