import type { EndpointType } from './config.ts'

/** Harbor's own names. */
export const ENDPOINT_TYPES = [
  'docker-hub', 'harbor', 'docker-registry', 'aws-ecr', 'google-gcr', 'quay', 'github-ghcr', 'azure-acr', 'gitlab', 'jfrog-artifactory',
] as const

export const AVAILABLE_TYPES: readonly EndpointType[] = ['docker-hub', 'harbor', 'docker-registry']

/** Types that have one public place. */
export const DEFAULT_URLS: Partial<Record<(typeof ENDPOINT_TYPES)[number], string>> = {
  'docker-hub': 'https://registry-1.docker.io',
  'google-gcr': 'https://gcr.io',
  quay: 'https://quay.io',
  'github-ghcr': 'https://ghcr.io',
  gitlab: 'https://registry.gitlab.com',
}
