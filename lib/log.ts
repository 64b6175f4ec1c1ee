import type { Logger } from 'pino'

/** What the modules need of a logger; pino's own in the program, a recorder in tests. */
export type Log = Pick<Logger, 'debug' | 'info' | 'warn' | 'error'>

export const silentLog: Log = { debug() {}, info() {}, warn() {}, error() {} }
