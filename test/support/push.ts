import type { Image, ManifestBytes } from './image.ts'
import { get, head, type HttpAnswer, type HttpOptions } from './http.ts'

export interface PushTarget {
  /** `http://HOST:PORT` */
  url: string
  /** The Authorization header for a repository. */
  authorization?: (repository: string) => string | undefined
}

/** Pushes blobs, children and the manifest itself, over plain HTTP API. Without tags it is there by digest only. */
export async function pushImage(target: PushTarget, repository: string, image: Image, ...tags: string[]): Promise<void> {
  for (const [digest, bytes] of image.blobs) await pushBlob(target, repository, digest, bytes)
  for (const manifest of image.manifests) await pushManifest(target, repository, manifest.digest, manifest)
  for (const tag of tags) await tagImage(target, repository, tag, image)
}

export async function pushBlob(target: PushTarget, repository: string, digest: string, bytes: Uint8Array): Promise<void> {
  const known = await head(`${target.url}/v2/${repository}/blobs/${digest}`, { headers: headers(target, repository) })
  if (known.status === 200) return
  const begun = await expect(202, `${target.url}/v2/${repository}/blobs/uploads/`, { method: 'POST', headers: headers(target, repository) })
  const location = new URL(begun.headers.location ?? '', target.url)
  location.searchParams.set('digest', digest)
  await expect(201, location.href, {
    method: 'PUT', body: bytes, headers: headers(target, repository, { 'content-type': 'application/octet-stream', 'content-length': String(bytes.length) }),
  })
}

/** Makes a tag mean an image that is there. */
export function tagImage(target: PushTarget, repository: string, tag: string, image: ManifestBytes): Promise<void> {
  return pushManifest(target, repository, tag, image)
}

async function pushManifest(target: PushTarget, repository: string, reference: string, manifest: ManifestBytes): Promise<void> {
  await expect(201, `${target.url}/v2/${repository}/manifests/${reference}`, {
    method: 'PUT', body: manifest.bytes, headers: headers(target, repository, { 'content-type': manifest.mediaType, 'content-length': String(manifest.bytes.length) }),
  })
}

/** docker-registry 2.8 deletes by digest only: the manifest goes, and all tags that point at it. */
export async function deleteTag(target: PushTarget, repository: string, tag: string): Promise<void> {
  const known = await head(`${target.url}/v2/${repository}/manifests/${tag}`, { headers: headers(target, repository, { accept: ACCEPT }) })
  const digest = String(known.headers['docker-content-digest'])
  await expect(202, `${target.url}/v2/${repository}/manifests/${digest}`, { method: 'DELETE', headers: headers(target, repository) })
}

const ACCEPT = [
  'application/vnd.oci.image.index.v1+json', 'application/vnd.oci.image.manifest.v1+json',
  'application/vnd.docker.distribution.manifest.list.v2+json', 'application/vnd.docker.distribution.manifest.v2+json',
].join(', ')

function headers(target: PushTarget, repository: string, more: Record<string, string> = {}): Record<string, string> {
  const authorization = target.authorization?.(repository)
  return { ...more, ...(authorization !== undefined && { authorization }) }
}

async function expect(status: number, url: string, options: HttpOptions): Promise<HttpAnswer> {
  const answer = await get(url, options)
  if (answer.status === status) return answer
  throw new Error(`${options.method ?? 'GET'} ${url}: ${answer.status} instead of ${status}: ${answer.body.toString()}`)
}
