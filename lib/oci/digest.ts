import { createHash, type Hash } from 'node:crypto'
import { OciError } from './errors.ts'

declare const digestBrand: unique symbol

/** `<algorithm>:<lower-case hex>` of an algorithm that we can compute, of the right length: safe as a file name. */
export type Digest = string & { readonly [digestBrand]: true }

export type DigestAlgorithm = 'sha256' | 'sha512'

const HEX_LENGTH: Record<DigestAlgorithm, number> = { sha256: 64, sha512: 128 }

// https://github.com/opencontainers/image-spec/blob/main/descriptor.md#digests
const GRAMMAR = /^([a-z0-9]+(?:[+._-][a-z0-9]+)*):([a-zA-Z0-9=_-]+)$/

function isKnownAlgorithm(name: string): name is DigestAlgorithm {
  return Object.hasOwn(HEX_LENGTH, name)
}

/** For what strangers send, where a bad digest is merely no digest. */
export function asDigest(text: unknown): Digest | undefined {
  const [, algorithm, encoded] = (typeof text === 'string' && GRAMMAR.exec(text)) || []
  if (algorithm === undefined || encoded === undefined || !isKnownAlgorithm(algorithm)) return undefined
  return encoded.length === HEX_LENGTH[algorithm] && /^[a-f0-9]+$/.test(encoded) ? (text as Digest) : undefined
}

/** @throws OciError DIGEST_INVALID, 400, also for an algorithm that we cannot verify */
export function parseDigest(text: string): Digest {
  const digest = asDigest(text)
  if (digest !== undefined) return digest
  const algorithm = GRAMMAR.exec(text)?.[1]
  if (algorithm !== undefined && !isKnownAlgorithm(algorithm)) {
    throw new OciError('DIGEST_INVALID', `digest algorithm "${algorithm}" is not supported, use sha256 or sha512`)
  }
  throw new OciError('DIGEST_INVALID', 'not a digest: expected sha256:<64 lower-case hex digits> or sha512:<128>')
}

export function digestParts(digest: Digest): { algorithm: DigestAlgorithm; hex: string } {
  const colon = digest.indexOf(':')
  return { algorithm: digest.slice(0, colon) as DigestAlgorithm, hex: digest.slice(colon + 1) }
}

/** A running hash of the digest's own algorithm. */
export function hasherFor(digest: Digest): Hash {
  return createHash(digestParts(digest).algorithm)
}

/** What a running hash has come to, as a digest of the same algorithm as `like`. The hash is used up. */
export function digestFrom(hash: Hash, like: Digest): Digest {
  return `${digestParts(like).algorithm}:${hash.digest('hex')}` as Digest
}

export function digestOf(bytes: Uint8Array, algorithm: DigestAlgorithm = 'sha256'): Digest {
  return `${algorithm}:${createHash(algorithm).update(bytes).digest('hex')}` as Digest
}
