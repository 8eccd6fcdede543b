/**
 * The server as a library.
 *
 *     import { defineConfig, parseConfig, startServer } from 'phone-proof';
 *     const server = await startServer({ config: parseConfig(myConfig, process.env) });
 */
export { type Config, ConfigError, type ConfigInput, defineConfig, parseConfig } from './config.ts';
export { type RunningServer, type ServerOptions, startServer } from './serve.ts';
