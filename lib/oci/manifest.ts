import { asDigest, type Digest } from './digest.ts'
import { bareMediaType, isGenericMediaType, isMediaType } from './media-types.ts'

/** What entrepot reads of a manifest. The bytes stay what they are, whatever is found in them. */
export interface ManifestFacts {
  /** As upstream declared it, or as the document does where upstream's says nothing. No parameters. */
  mediaType: string
  /** Config, layers and artifact blobs that the repository holds; those with `urls` live elsewhere and prove nothing, nor does a type that we do not know. */
  blobs: Digest[]
}

/** @returns undefined for what is no manifest at all: HTML, a JSON array, an error document */
export function readManifest(bytes: Uint8Array, contentType: string | undefined): ManifestFacts | undefined {
  const document = parseObject(bytes)
  if (document === undefined) return undefined
  const mediaType = mediaTypeOf(document, bareMediaType(contentType))
  if (mediaType === undefined) return undefined
  return { mediaType, blobs: blobsOf(document, mediaType) }
}

type JsonObject = Record<string, unknown>

function isObject(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

function parseObject(bytes: Uint8Array): JsonObject | undefined {
  try {
    const value: unknown = JSON.parse(new TextDecoder().decode(bytes))
    return isObject(value) ? value : undefined
  } catch {
    return undefined
  }
}

function mediaTypeOf(document: JsonObject, declared: string): string | undefined {
  if (isHtml(declared)) return undefined
  if (saysSomething(declared)) return declared
  const own = typeof document['mediaType'] === 'string' ? bareMediaType(document['mediaType']) : ''
  // The document is the pusher's word, and goes out as Content-Type: never as a page.
  if (saysSomething(own) && !isHtml(own)) return own
  if (Array.isArray(document['manifests'])) return 'application/vnd.oci.image.index.v1+json'
  if (isObject(document['config'])) return 'application/vnd.oci.image.manifest.v1+json'
  if (document['schemaVersion'] === 1) return 'application/vnd.docker.distribution.manifest.v1+prettyjws'
  return undefined
}

function saysSomething(type: string): boolean {
  return isMediaType(type) && !isGenericMediaType(type)
}

function isHtml(type: string): boolean {
  return type.toLowerCase().startsWith('text/html')
}

/**
 * The lists that a registry checks when a manifest of this type is pushed. Any other list in it is the pusher's claim,
 * and would open blobs of other repositories to whoever knows their digests (CVE-2021-41190 is this confusion).
 */
const CHECKED_LISTS = new Map<string, readonly string[]>([
  ['application/vnd.oci.image.manifest.v1+json', ['config', 'layers']],
  ['application/vnd.docker.distribution.manifest.v2+json', ['config', 'layers']],
  ['application/vnd.oci.artifact.manifest.v1+json', ['blobs']],
])

/** Real images have some dozens, and a hostile manifest of 4 MiB fifty thousand: beyond this, upstream is asked for each. */
const MAX_BLOBS = 1000

function blobsOf(document: JsonObject, mediaType: string): Digest[] {
  if (hasLookalike(document)) return []
  const found = (CHECKED_LISTS.get(mediaType.toLowerCase()) ?? [])
    .flatMap(list => document[list])
    .filter(descriptor => isObject(descriptor) && !hasLookalike(descriptor) && !isForeign(descriptor))
    .map(descriptor => asDigest((descriptor as JsonObject)['digest']))
    .filter(digest => digest !== undefined)
  return [...new Set(found)].slice(0, MAX_BLOBS)
}

function isForeign({ urls }: JsonObject): boolean {
  return urls !== undefined && urls !== null && !(Array.isArray(urls) && urls.length === 0)
}

const READ = new Set(['config', 'layers', 'blobs', 'digest', 'urls'])

/** Go reads "Layers" for "layers", and lets the last one win: a registry written in it has checked another list than ours. */
function hasLookalike(object: JsonObject): boolean {
  return Object.keys(object).some(key => !READ.has(key) && /^(?:config|layers|blobs|digest|urls)$/iu.test(key))
}
