const at = (sorted, share) => {
  const place = (sorted.length - 1) * share;
  const low = Math.floor(place);
  return sorted[low] + (sorted[Math.min(low + 1, sorted.length - 1)] - sorted[low]) * (place - low);
};

/** Median, quartiles and extremes. */
export const spread = (values) => {
  const sorted = [...values].sort((a, b) => a - b);
  return { median: at(sorted, 0.5), low: at(sorted, 0.25), high: at(sorted, 0.75), min: sorted[0], max: sorted.at(-1) };
};

/** The same of the ratios round by round: times of different rounds are never compared. */
export const ratioSpread = (times, reference) => spread(times.map((time, round) => time / reference[round]));
