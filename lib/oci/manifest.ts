import { asDigest, type Digest } from './digest.ts'
import { bareMediaType, isGenericMediaType } from './media-types.ts'

/** What entrepot reads of a manifest. The bytes stay what they are, whatever is found in them. */
export interface ManifestFacts {
  /** As upstream declared it, or as the document does where upstream's says nothing. No parameters. */
  mediaType: string
  /** Config, layers and artifact blobs that the repository holds; those with `urls` live elsewhere and prove nothing. */
  blobs: Digest[]
}

/** @returns undefined for what is no manifest at all: HTML, a JSON array, an error document */
export function readManifest(bytes: Uint8Array, contentType: string | undefined): ManifestFacts | undefined {
  const document = parseObject(bytes)
  if (document === undefined) return undefined
  const mediaType = mediaTypeOf(document, bareMediaType(contentType))
  if (mediaType === undefined) return undefined
  return { mediaType, blobs: blobsOf(document) }
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
  if (declared.startsWith('text/html')) return undefined
  if (!isGenericMediaType(declared)) return declared
  if (typeof document['mediaType'] === 'string') return bareMediaType(document['mediaType'])
  if (Array.isArray(document['manifests'])) return 'application/vnd.oci.image.index.v1+json'
  if (isObject(document['config'])) return 'application/vnd.oci.image.manifest.v1+json'
  if (document['schemaVersion'] === 1) return 'application/vnd.docker.distribution.manifest.v1+prettyjws'
  return undefined
}

function blobsOf(document: JsonObject): Digest[] {
  const lists = [[document['config']], document['layers'], document['blobs']]
  const found = lists
    .flatMap(list => (Array.isArray(list) ? (list as unknown[]) : []))
    .filter(descriptor => isObject(descriptor) && descriptor['urls'] === undefined)
    .map(descriptor => asDigest((descriptor as JsonObject)['digest']))
    .filter(digest => digest !== undefined)
  return [...new Set(found)]
}
