import { join } from 'node:path'
import { digestParts, type Digest } from '../oci/digest.ts'
import type { RepositoryName, Tag } from '../oci/reference.ts'

/** One repository of one project: what tags and membership are kept under. */
export interface RepositoryKey {
  project: string
  repository: RepositoryName
}

/**
 * Where everything lies, under `storage.directory`. The components of repository names never begin with `_`, so ours do.
 *
 *     entrepot.json                                              format version and the directory's id
 *     blobs/sha256/9f/9f86d081…                                  verified content
 *     partial/sha256-9f86d081…                                   a fill in progress, or what is left of one
 *     partial/tmp-…                                              a small file on its way
 *     repositories/hub/_upstream.json                            which upstream the project's records came from
 *     repositories/hub/library/alpine/_tags/3.20.json            tag → digest
 *     repositories/hub/library/alpine/_manifests/sha256-9f….json media type of a manifest
 *     repositories/hub/library/alpine/_blobs/sha256-9f…          proof that the repository contains a blob; empty
 */
export class Layout {
  readonly directory: string

  constructor(directory: string) {
    this.directory = directory
  }

  format(): string {
    return join(this.directory, 'entrepot.json')
  }

  blobs(): string {
    return join(this.directory, 'blobs')
  }

  partials(): string {
    return join(this.directory, 'partial')
  }

  blob(digest: Digest): string {
    const { algorithm, hex } = digestParts(digest)
    return join(this.blobs(), algorithm, hex.slice(0, 2), hex)
  }

  partial(digest: Digest): string {
    return join(this.partials(), fileName(digest))
  }

  repositories(): string {
    return join(this.directory, 'repositories')
  }

  project(name: string): string {
    return join(this.repositories(), name)
  }

  projectUpstream(name: string): string {
    return join(this.project(name), '_upstream.json')
  }

  /** Where a project's records go when the project is bound to another upstream. */
  projectAside(name: string, at: number): string {
    return join(this.repositories(), `_${name}-until-${at}`)
  }

  tag(key: RepositoryKey, tag: Tag): string {
    return join(this.#repository(key), '_tags', `${tag}.json`)
  }

  manifest(key: RepositoryKey, digest: Digest): string {
    return join(this.#repository(key), '_manifests', `${fileName(digest)}.json`)
  }

  blobLink(key: RepositoryKey, digest: Digest): string {
    return join(this.#repository(key), '_blobs', fileName(digest))
  }

  #repository(key: RepositoryKey): string {
    return join(this.project(key.project), key.repository)
  }
}

function fileName(digest: Digest): string {
  return digest.replace(':', '-')
}
