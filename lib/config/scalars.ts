import { parseHostName, parseListen, parseNetwork, parseOrigin, parseProxyUrl, parseRedisUrl, parseRegistryName, parseRegistryUrl } from './address.ts'
import type { Parsed } from './parsed.ts'
import { parseDuration, parseRate, parseSize, parseTimeout } from './units.ts'

/** A text with a meaning: parsed once, while the file is validated. */
export interface Scalar {
  /** Roughly the same as a regular expression, for editors. */
  pattern: string
  parse(text: string): Parsed<unknown>
}

const DURATION = '^\\d+(ms|s|m|h|d)$'
const SIZE = '\\d+(kB|MB|GB|TB|KiB|MiB|GiB|TiB)'
const HOST = '[A-Za-z0-9.-]+'
const WEB_URL = '^[Hh][Tt][Tt][Pp][Ss]?://[^\\s/?#@]+'

export const SCALARS = {
  duration: { pattern: DURATION, parse: parseDuration },
  timeout: { pattern: DURATION, parse: parseTimeout },
  durationOrNever: {
    pattern: `^never$|${DURATION}`,
    parse: (text: string): Parsed<number | 'never'> => (text === 'never' ? { value: text } : parseDuration(text)),
  },
  size: { pattern: `^${SIZE}$`, parse: parseSize },
  rate: { pattern: `^${SIZE}/s$`, parse: parseRate },
  listen: { pattern: `^(${HOST}|\\[[0-9A-Fa-f:.]+\\])?:\\d{1,5}$`, parse: parseListen },
  origin: { pattern: `${WEB_URL}/?$`, parse: parseOrigin },
  registryUrl: { pattern: `${WEB_URL}(/[^\\s?#]*)?$`, parse: parseRegistryUrl },
  proxyUrl: { pattern: '^https?://[^\\s/?#]+/?$', parse: parseProxyUrl },
  redisUrl: { pattern: '^rediss?://[^\\s/?#]+(/\\d*)?$', parse: parseRedisUrl },
  hostName: { pattern: `^${HOST}$`, parse: parseHostName },
  registryName: { pattern: `^${HOST}(:\\d{1,5})?$`, parse: parseRegistryName },
  network: { pattern: '^[0-9A-Fa-f.:]+(/\\d{1,3})?$', parse: parseNetwork },
} as const satisfies Record<string, Scalar>

export type ScalarName = keyof typeof SCALARS
