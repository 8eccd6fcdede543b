/** Milliseconds since the epoch. Everything that needs the time is handed one, so that tests own it. */
export type Clock = () => number;

/** RFC 3339 in UTC, as every JSON answer carries times. */
export const toTimestamp = (ms: number): string => new Date(ms).toISOString();
