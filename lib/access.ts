import { OciError } from './oci/errors.ts'
import { splitProject, type Route } from './oci/route.ts'
import type { RepositoryName } from './oci/reference.ts'
import type { Project, Target } from './cache/project.ts'

export type Projects = ReadonlyMap<string, Project>

const READS = new Set(['GET', 'HEAD'])

/** Routes that are about one repository. */
export type RepositoryRoute = Extract<Route, { name: RepositoryName }>

/**
 * Decides, before anything is looked up, whether a request may go on, and what it is about. A project only pulls.
 * @throws OciError UNSUPPORTED (405), NAME_UNKNOWN (404)
 */
export function admit(method: string, route: RepositoryRoute, projects: Projects): Target {
  const { project: name, repository } = splitProject(route.name)
  const project = projects.get(name)
  if (project === undefined) {
    throw new OciError('NAME_UNKNOWN', `no project "${name}" here: pull <project>/<repository>, where the project is one of ${[...projects.keys()].join(', ')}`)
  }
  if (route.kind === 'upload' || !READS.has(method)) throw refusePush(`project "${name}"`)
  if (repository === undefined) {
    throw new OciError('NAME_UNKNOWN', `"${name}" is a project: a repository must follow it, as in ${name}/library/alpine`)
  }
  return { project, repository: project.upstream.canonicalName(repository) }
}

export function refusePush(what: string): OciError {
  return new OciError('UNSUPPORTED', `${what} is a pull-through cache and takes no pushes or deletions: push to its upstream registry`, { headers: { allow: 'GET, HEAD' } })
}
