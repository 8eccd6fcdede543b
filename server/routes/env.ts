/** What every route may count on: the context's variables, and how an answer is refused. */
import type { Context } from 'hono';
import type { HeaderRecord } from './answer.ts';

export type Env = { Variables: { requestId: string; headers: HeaderRecord } };
export type AppContext = Context<Env>;
