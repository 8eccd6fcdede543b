/** Latencies, in milliseconds. */
export type Latency = { p50: number; p99: number; max: number };

/** Sorts in place. */
export function summarise(latencies: number[]): Latency {
  const sorted = Float64Array.from(latencies).sort();
  const at = (share: number) => sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? 0;
  return { p50: at(0.5), p99: at(0.99), max: sorted.at(-1) ?? 0 };
}
