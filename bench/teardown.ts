import type { Teardown } from '../test/support/upstream/server.ts'

const open = new Set<Scope>()

/** Runs the body, then undoes what it registered, the last first, whatever happened. */
export async function withTeardown<T>(body: (t: Teardown) => Promise<T>): Promise<T> {
  const scope = new Scope()
  open.add(scope)
  try {
    return await body(scope)
  } finally {
    await scope.end()
    open.delete(scope)
  }
}

/** For a signal: undoes what is open just now. */
export async function endAll(): Promise<void> {
  for (const scope of [...open].reverse()) await scope.end()
}

class Scope implements Teardown {
  readonly #callbacks: (() => unknown)[] = []

  teardown(callback: () => unknown): void {
    this.#callbacks.push(callback)
  }

  async end(): Promise<void> {
    for (let callback = this.#callbacks.pop(); callback; callback = this.#callbacks.pop()) await callback()
  }
}
