/** What every route may count on: the context's variables, and how an answer is refused. */
import type { Context } from 'hono';

export type Env = { Variables: { requestId: string } };
export type AppContext = Context<Env>;
