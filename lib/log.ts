import { destination, pino, type DestinationStream, type Logger } from 'pino'
import type { Config } from './config/config.ts'

/** What the modules need of a logger; pino's own in the program, a recorder in tests. */
export type Log = Pick<Logger, 'debug' | 'info' | 'warn' | 'error'>

/** A logger to standard output: JSON lines, or text for people. */
export async function createLog({ level, format }: Config['log']): Promise<Log> {
  const options = { level, base: null, serializers: { err: (error: unknown) => summary(error) } }
  const log: Log = format === 'json'
    ? pino({ ...options, timestamp: pino.stdTimeFunctions.isoTime }, destination({ dest: 1, sync: true }))
    : pino(options, await textStream())
  return log
}

async function textStream(): Promise<DestinationStream> {
  const { PinoPretty } = await import('pino-pretty')
  return PinoPretty({ sync: true, colorize: process.stdout.isTTY })
}

/** Causes of causes that are written: enough for ours, and an end where they go in a circle. */
const MAX_CAUSES = 5

/** Codes and messages of an error and its causes. Nothing else of them, as those of requests hold headers and URLs. */
function summary(error: unknown, causes = MAX_CAUSES): unknown {
  if (!(error instanceof Error)) return typeof error === 'object' ? Object.prototype.toString.call(error) : error
  return {
    type: error.name,
    message: error.message,
    code: 'code' in error ? error.code : undefined,
    cause: error.cause === undefined || causes === 0 ? undefined : summary(error.cause, causes - 1),
    stack: error.name === 'TypeError' || error.name === 'RangeError' ? error.stack : undefined,
  }
}
