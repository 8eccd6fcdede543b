/** Figures of several repeats, and how they are written down. */
export const median = (values: number[]): number => {
  const sorted = values.toSorted((a, b) => a - b);
  const middle = sorted.length >> 1;
  const [low = Number.NaN, high = Number.NaN] = [
    sorted[sorted.length % 2 ? middle : middle - 1],
    sorted[middle],
  ];
  return (low + high) / 2;
};

/** `1,234`. */
export const whole = (value: number): string => Math.round(value).toLocaleString('en-US');
export const ms = (value: number): string => `${value.toFixed(value < 10 ? 2 : 1)} ms`;
export const mib = (bytes: number): string => `${(bytes / 2 ** 20).toFixed(0)} MiB`;

/** `1,234 (1,100–1,300)`. */
export const spread = (values: number[], write: (value: number) => string = whole): string =>
  `${write(median(values))} (${write(Math.min(...values))}–${write(Math.max(...values))})`;

/** `0.71 ✓` beside a goal that it meets. */
export const judged = (text: string, isMet: boolean): string => `${text} ${isMet ? '✓' : '✗'}`;
