/** Time, passed in: tests turn it by hand. Durations and deadlines are monotonic, because wall clocks jump. */
export interface Clock {
  /** Milliseconds since 1970: for what is written down or shown. */
  now(): number
  /** Milliseconds since some fixed moment: for how long something takes or lasts. */
  monotonic(): number
  /** Calls back once after so many milliseconds, and never keeps the process alive for it. @returns the way to cancel */
  after(milliseconds: number, callback: () => void): () => void
}

export const systemClock: Clock = {
  now: () => Date.now(),
  monotonic: () => performance.now(),
  after(milliseconds, callback) {
    const timer = setTimeout(callback, milliseconds)
    timer.unref()
    return () => clearTimeout(timer)
  },
}

export function sleep(clock: Clock, milliseconds: number): Promise<void> {
  return new Promise(resolve => { clock.after(milliseconds, resolve) })
}
