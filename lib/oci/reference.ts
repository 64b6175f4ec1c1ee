import { asDigest, parseDigest, type Digest } from './digest.ts'
import { OciError } from './errors.ts'

declare const nameBrand: unique symbol
declare const tagBrand: unique symbol

/** One or more path components of the distribution spec's grammar: safe as a relative path. */
export type RepositoryName = string & { readonly [nameBrand]: true }

/** A tag of the distribution spec's grammar: safe as a file name. */
export type Tag = string & { readonly [tagBrand]: true }

export type Reference = Tag | Digest

const NAME = /^[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*(?:\/[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*)*$/
const TAG = /^[a-zA-Z0-9_][a-zA-Z0-9._-]{0,127}$/

// The limit of the distribution spec's implementations; file systems stop at 255 bytes a component, too.
const NAME_LENGTH = 255

export function isRepositoryName(text: string): text is RepositoryName {
  return text.length <= NAME_LENGTH && NAME.test(text)
}

/** @throws OciError NAME_INVALID, 400 */
export function parseRepositoryName(text: string): RepositoryName {
  if (isRepositoryName(text)) return text
  const reason = text.length > NAME_LENGTH ? `is longer than ${NAME_LENGTH} characters` : 'is off the grammar of the OCI distribution spec'
  throw new OciError('NAME_INVALID', `repository name ${reason}: lower-case letters, digits, and . _ __ - between them`)
}

export function isTag(text: string): text is Tag {
  return TAG.test(text)
}

/**
 * A manifest's reference: with a colon it is a digest, without one a tag.
 * @throws OciError DIGEST_INVALID, 400; MANIFEST_UNKNOWN, 404, for what cannot be a tag and so cannot exist
 */
export function parseReference(text: string): Reference {
  if (text.includes(':')) return parseDigest(text)
  if (isTag(text)) return text
  throw new OciError('MANIFEST_UNKNOWN', 'not a tag: up to 128 letters, digits, _ . and -, not beginning with . or -')
}

export function isDigest(reference: Reference): reference is Digest {
  return asDigest(reference) !== undefined
}
