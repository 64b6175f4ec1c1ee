import type { EndpointType } from '../config/config.ts'
import { isRepositoryName, type RepositoryName } from '../oci/reference.ts'

/** In what one type of registry differs from the others: a plain record over `base`. */
export interface Kind {
  /** The one name under which upstream knows a repository; given its own result, it returns the same. */
  canonicalName(repository: RepositoryName): RepositoryName
  /** What a token has to allow for a pull: upstream's own scope is not believed, GHCR's ping names a repository that does not exist. */
  scope(repository: RepositoryName): string
}

const base: Kind = {
  canonicalName: repository => repository,
  scope: repository => `repository:${repository}:pull`,
}

export const KINDS: Readonly<Record<EndpointType, Kind>> = {
  'docker-registry': base,
  harbor: base,
  'docker-hub': { ...base, canonicalName: withLibrary },
}

/** Official images are one component to users and `library/…` to Docker Hub. */
function withLibrary(repository: RepositoryName): RepositoryName {
  const official = `library/${repository}`
  return !repository.includes('/') && isRepositoryName(official) ? official : repository
}
