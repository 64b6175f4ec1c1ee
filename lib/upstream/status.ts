import type { FailureReason } from '../config/config.ts'
import { UpstreamFailure } from './failure.ts'

/** Where chance and the wall clock come from, for what depends on them. */
export interface Chance {
  now(): number
  /** 0 to 1, as Math.random. */
  random(): number
}

const HOUR = 3600
/** From 24 to 36 seconds. */
const DEFAULT_RETRY = { least: 24, spread: 12 }

const REASONS: Readonly<Record<number, FailureReason>> = {
  401: 'denied',
  403: 'denied',
  404: 'not-found',
  408: 'timeout',
  410: 'not-found',
  429: 'rate-limited',
  504: 'timeout',
}

const SENTENCES: Readonly<Record<FailureReason, string>> = {
  denied: 'denies access',
  'not-found': 'does not have it',
  'rate-limited': 'wants to be left alone: too many requests',
  'server-error': 'answers with an error',
  timeout: 'timed out',
  unreachable: 'is not reachable',
}

/** What an HTTP status means that is not the answer hoped for. */
export function reasonOf(status: number): FailureReason {
  return REASONS[status] ?? 'server-error'
}

export function statusFailure(host: string, status: number, retryAfter?: number): UpstreamFailure {
  const reason = reasonOf(status)
  return new UpstreamFailure(reason, `${host} ${SENTENCES[reason]} (HTTP ${status})`, { status, ...(retryAfter === undefined ? {} : { retryAfter }) })
}

/** A 429, with the seconds that it asks for. */
export function rateLimitFailure(host: string, retryAfter: string | undefined, chance: Chance): UpstreamFailure {
  return statusFailure(host, 429, retryAfterSeconds(retryAfter, chance))
}

/**
 * Whole seconds of a Retry-After: a number or a date, capped at an hour. Where there is none, about thirty, jittered, so
 * that replicas do not come back all at once.
 * @see https://www.rfc-editor.org/rfc/rfc9110#section-10.2.3
 */
export function retryAfterSeconds(header: string | undefined, chance: Chance): number {
  const seconds = parseRetryAfter(header?.trim() ?? '', chance.now())
  return Math.min(HOUR, Math.max(0, Math.ceil(seconds ?? DEFAULT_RETRY.least + DEFAULT_RETRY.spread * chance.random())))
}

function parseRetryAfter(text: string, now: number): number | undefined {
  if (/^\d+$/.test(text)) return Number(text)
  const date = /^[a-z]{3}/i.test(text) ? Date.parse(text) : Number.NaN
  return Number.isNaN(date) ? undefined : (date - now) / 1000
}
