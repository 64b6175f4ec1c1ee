/** One of those that are measured side by side. */
export interface Server {
  readonly name: string
  /** Of the process that serves. */
  readonly pid: number
  /** `http://127.0.0.1:PORT/v2/…/`, what a repository's `blobs/<digest>` or `manifests/<reference>` is put behind. */
  readonly repository: string
}

/** The repository that is pulled, through the caches and from upstream. */
export const REPOSITORY = 'bench/app'
