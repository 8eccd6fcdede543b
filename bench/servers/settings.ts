/** What the servers under test and the load agree on. */
export const ORIGIN = 'https://shop.example';
export const ISSUER = 'https://verify.example';
export const PUBLISHABLE_KEY = 'pk_bench';
export const PURPOSE = 'registration';
export const SECRET = 'a secret for benchmarks, long enough to be one';
/** Where a server without a delivery of its own leaves the code. */
export const CODE_HEADER = 'X-Bench-Code';
