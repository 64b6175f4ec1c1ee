import type { FailureReason } from '../config/config.ts'
import type { RepositoryName, Tag } from '../oci/reference.ts'
import type { RepositoryKey } from '../store/layout.ts'
import type { Upstream } from '../upstream/upstream.ts'

/** A project of the configuration, bound to its endpoint. */
export interface Project {
  name: string
  upstream: Upstream
  policy: Policy
}

export interface Policy {
  /** Milliseconds for which a tag is trusted without asking. */
  freshness: number
  isImmutable(tag: Tag): boolean
  serveStaleOn: ReadonlySet<FailureReason>
}

/** What an admitted request is about: a repository, by the one name that upstream knows it by. */
export interface Target {
  project: Project
  repository: RepositoryName
}

export function keyOf(target: Target): RepositoryKey {
  return { project: target.project.name, repository: target.repository }
}
