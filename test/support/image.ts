import { createCipheriv, createHash, randomBytes } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { gzipSync } from 'node:zlib'
import { digestOf, type Digest } from '../../lib/oci/digest.ts'
import { tar, type TarEntry } from './tar.ts'

/** An image, index or artifact in memory: its manifest, and everything below it. */
export interface Image {
  digest: Digest
  mediaType: string
  /** The manifest itself. */
  bytes: Buffer
  /** Configs and layers, of all platforms. */
  blobs: Map<Digest, Buffer>
  /** Every manifest, children before their index, this one last: the order in which a registry takes them. */
  manifests: ManifestBytes[]
}

export interface ManifestBytes {
  digest: Digest
  mediaType: string
  bytes: Buffer
}

export interface Platform {
  os: string
  architecture: string
  variant?: string
}

export interface ImageOptions {
  /** The same seed, the same bytes. Absent: random. */
  seed?: string
  /** Bytes of random content per layer; default one layer of 64 KiB. */
  layers?: number[]
  /** Puts busybox into the first layer, so that the image runs. */
  busybox?: boolean
  platform?: Platform
  /** Docker's schema2 media types instead of OCI's. */
  docker?: boolean
  annotations?: Record<string, string>
}

export const OCI_MANIFEST = 'application/vnd.oci.image.manifest.v1+json'
export const OCI_INDEX = 'application/vnd.oci.image.index.v1+json'
export const DOCKER_MANIFEST = 'application/vnd.docker.distribution.manifest.v2+json'
export const DOCKER_LIST = 'application/vnd.docker.distribution.manifest.list.v2+json'

const OCI_TYPES = {
  manifest: OCI_MANIFEST,
  config: 'application/vnd.oci.image.config.v1+json',
  layer: 'application/vnd.oci.image.layer.v1.tar+gzip',
}

const DOCKER_TYPES = {
  manifest: DOCKER_MANIFEST,
  config: 'application/vnd.docker.container.image.v1+json',
  layer: 'application/vnd.docker.image.rootfs.diff.tar.gzip',
}

const AMD64: Platform = { os: 'linux', architecture: 'amd64' }
const ARM64: Platform = { os: 'linux', architecture: 'arm64', variant: 'v8' }

/** A real image that every client unpacks: gzipped tar layers, diff IDs, a config. */
export function image(options: ImageOptions = {}): Image {
  const { layers = [64 * 1024], platform = AMD64 } = options
  const types = options.docker === true ? DOCKER_TYPES : OCI_TYPES
  const tars = layers.map((size, index) => tar([
    ...(options.busybox === true && index === 0 ? busybox() : []),
    { path: `random-${index}`, body: randomContent(size, options.seed && `${options.seed}/${platform.architecture}/${index}`) },
  ]))
  const packed = tars.map(bytes => gzipSync(bytes, { level: bytes.length > 8 * 2 ** 20 ? 0 : 1 }))
  const config = json({
    ...platform,
    created: '2026-01-01T00:00:00Z',
    config: { Cmd: ['/bin/sh'], Env: ['PATH=/bin'] },
    rootfs: { type: 'layers', diff_ids: tars.map(bytes => digestOf(bytes)) },
    history: tars.map(() => ({ created: '2026-01-01T00:00:00Z', created_by: 'entrepot test' })),
  })
  const bytes = json({
    schemaVersion: 2,
    mediaType: types.manifest,
    config: descriptor(types.config, config),
    layers: packed.map(layer => descriptor(types.layer, layer)),
    ...(options.annotations && { annotations: options.annotations }),
  })
  return manifestImage(types.manifest, bytes, [config, ...packed])
}

/** An index of images, or of indexes. Without a platform, a child has none in its descriptor. */
export function index(children: { image: Image; platform?: Platform }[], options: { docker?: boolean; annotations?: Record<string, string> } = {}): Image {
  const mediaType = options.docker === true ? DOCKER_LIST : OCI_INDEX
  const bytes = json({
    schemaVersion: 2,
    mediaType,
    manifests: children.map(child => ({
      ...descriptor(child.image.mediaType, child.image.bytes), ...(child.platform && { platform: child.platform }),
    })),
    ...(options.annotations && { annotations: options.annotations }),
  })
  const digest = digestOf(bytes)
  const below = children.flatMap(child => child.image.manifests)
  return {
    digest, mediaType, bytes,
    blobs: new Map(children.flatMap(child => [...child.image.blobs])),
    manifests: [...new Map([...below, { digest, mediaType, bytes }].map(manifest => [manifest.digest, manifest])).values()],
  }
}

/** amd64 and arm64 with different content. */
export function multiPlatformImage(options: Omit<ImageOptions, 'platform' | 'annotations'> = {}): Image {
  const children = [AMD64, ARM64].map(platform => ({ platform, image: image({ ...options, platform }) }))
  return index(children, { docker: options.docker ?? false })
}

/** An index whose children are an index and an image. */
export function nestedIndex(options: Omit<ImageOptions, 'platform' | 'docker' | 'annotations'> = {}): Image {
  const outer = { ...options, ...(options.seed !== undefined && { seed: `${options.seed}/outer` }), platform: AMD64 }
  return index([{ image: image(outer), platform: AMD64 }, { image: multiPlatformImage(options) }])
}

/** An OCI 1.1 artifact: the empty `{}` config (sha256:44136fa3…) and the blobs given, 0 bytes among them if you like. */
export function artifact(blobs: Uint8Array[] = [Buffer.alloc(0)], options: { artifactType?: string; subject?: Image } = {}): Image {
  const { artifactType = 'application/vnd.entrepot.test.v1', subject } = options
  const config = Buffer.from('{}')
  const bytes = json({
    schemaVersion: 2,
    mediaType: OCI_MANIFEST,
    artifactType,
    config: descriptor('application/vnd.oci.empty.v1+json', config),
    layers: blobs.map(blob => descriptor('application/octet-stream', blob)),
    ...(subject && { subject: descriptor(subject.mediaType, subject.bytes) }),
  })
  return manifestImage(OCI_MANIFEST, bytes, [config, ...blobs.map(blob => Buffer.from(blob))])
}

/** The digests of the layers, in order, without the config. */
export function layerDigests(of: Image): Digest[] {
  const { layers = [] } = JSON.parse(of.bytes.toString()) as { layers?: { digest: Digest }[] }
  return layers.map(layer => layer.digest)
}

/** Incompressible bytes; with a seed the same ones each time. */
export function randomContent(size: number, seed?: string): Buffer {
  if (seed === undefined) return randomBytes(size)
  const key = createHash('sha256').update(seed).digest()
  return createCipheriv('aes-256-ctr', key, Buffer.alloc(16)).update(Buffer.alloc(size))
}

function manifestImage(mediaType: string, bytes: Buffer, blobs: Buffer[]): Image {
  const digest = digestOf(bytes)
  return { digest, mediaType, bytes, blobs: new Map(blobs.map(blob => [digestOf(blob), blob])), manifests: [{ digest, mediaType, bytes }] }
}

function descriptor(mediaType: string, bytes: Uint8Array): { mediaType: string; digest: Digest; size: number } {
  return { mediaType, digest: digestOf(bytes), size: bytes.length }
}

function json(value: unknown): Buffer {
  return Buffer.from(JSON.stringify(value, null, 2))
}

function busybox(): TarEntry[] {
  return [
    { path: 'bin/', mode: 0o755 },
    { path: 'bin/busybox', body: readFileSync('/bin/busybox'), mode: 0o755 },
    { path: 'bin/sh', link: 'busybox', mode: 0o777 },
  ]
}
