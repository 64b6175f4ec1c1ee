/**
 * What entrepot asks upstream for, whatever the client accepts: indexes first, so that a tag always means the same
 * bytes; the wildcard last, for types not born yet. Without the OCI types docker-registry answers 404 for OCI content,
 * without any list Docker Hub answers schema1.
 */
export const ACCEPT_MANIFESTS = [
  'application/vnd.oci.image.index.v1+json',
  'application/vnd.oci.image.manifest.v1+json',
  'application/vnd.docker.distribution.manifest.list.v2+json',
  'application/vnd.docker.distribution.manifest.v2+json',
  '*/*',
].join(', ')

/** Types that say nothing about the content, as some registries send for manifests. */
const GENERIC = new Set(['', 'application/octet-stream', 'binary/octet-stream', 'application/json', 'text/plain'])

export function isGenericMediaType(type: string): boolean {
  return GENERIC.has(type.toLowerCase())
}

/** The type alone, without parameters and in its own letters: ORAS compares it with the descriptor's to the letter. */
export function bareMediaType(header: string | undefined): string {
  return (header ?? '').split(';', 1)[0]?.trim() ?? ''
}

/** RFC 6838 section 4.2: what may be sent as Content-Type, whoever claims it. */
export function isMediaType(text: string): boolean {
  return /^[a-z0-9][a-z0-9!#$&^_.+-]{0,126}\/[a-z0-9][a-z0-9!#$&^_.+-]{0,126}$/i.test(text)
}

/** Schema1 is signed over its payload, not over its bytes: its digest can't be computed from what is sent. */
export function isSchema1(mediaType: string): boolean {
  return mediaType.startsWith('application/vnd.docker.distribution.manifest.v1+')
}
