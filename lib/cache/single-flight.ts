/** Concurrent callers of one key share one run. The run belongs to nobody: a caller that leaves does not end it. */
export class SingleFlight<T> {
  readonly #flights = new Map<string, Promise<T>>()

  /** @returns the run's result, and whether another caller had begun it */
  async run(key: string, work: () => Promise<T>): Promise<{ value: T; collapsed: boolean }> {
    const flight = this.#flights.get(key)
    if (flight !== undefined) return { value: await flight, collapsed: true }
    const mine = work().finally(() => this.#flights.delete(key))
    this.#flights.set(key, mine)
    return { value: await mine, collapsed: false }
  }
}
