export { createEntrepot, type Entrepot, type EntrepotOptions } from './app.ts'
export type { Config } from './config/config.ts'
export { loadConfig } from './config/load.ts'
export type { Middleware } from './http/handler.ts'
