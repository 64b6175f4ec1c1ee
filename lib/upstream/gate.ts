import type { Clock } from '../clock.ts'
import type { Log } from '../log.ts'
import { admit, CLOSED, probedInVain, tripped, type Breaker } from './breaker.ts'
import { UpstreamFailure } from './failure.ts'

export interface GateDeps {
  /** The endpoint's name, for the log. */
  name: string
  clock: Clock
  log: Log
  /** 0 to 1, as Math.random. */
  random(): number
  /** Whether upstream answers; ends by itself, and never throws. */
  probe(): Promise<boolean>
}

/** What every request to an endpoint passes: the breaker with its probe, and the peace that a 429 asks for. */
export class Gate {
  readonly #deps: GateDeps
  #breaker: Breaker = CLOSED
  /** Over when the probe that runs, or is due next, has its answer. */
  #probed: Promise<void> = Promise.resolve()
  #cancelPause = (): void => {}
  #closed = false
  #limit: { failure: UpstreamFailure; until: number } | undefined

  constructor(deps: GateDeps) {
    this.#deps = deps
  }

  /**
   * @param patient whether the caller would wait for a probe that is near
   * @throws UpstreamFailure at once where upstream is not to be asked
   */
  async pass(patient: boolean): Promise<void> {
    this.#passLimit()
    const verdict = admit(this.#breaker, patient && !this.#closed, this.#deps.clock.monotonic())
    if (verdict === 'pass') return
    if (verdict !== 'wait') throw verdict
    await this.#probed
    await this.pass(false)
  }

  /** A request to the endpoint's own origin did not get through. */
  broken(failure: UpstreamFailure): void {
    if (this.#breaker.state === 'open' || this.#closed) return
    const { clock, log, name } = this.#deps
    this.#breaker = tripped(this.#breaker, failure, clock.monotonic())
    log.warn({ endpoint: name, reason: failure.reason, err: failure.cause }, `upstream is left alone until a probe gets through: ${failure.message}`)
    this.#probed = this.#probe()
  }

  /** The endpoint's own origin answered 429. */
  limited(failure: UpstreamFailure): void {
    const { clock, log, name } = this.#deps
    const { retryAfter = 0 } = failure
    const now = clock.monotonic()
    const until = now + retryAfter * 1000
    const known = this.#limit?.until ?? now
    if (until <= Math.max(now, known)) return
    if (known <= now) log.warn({ endpoint: name, retryAfter }, `upstream limits our rate, and is left alone for ${retryAfter} s`)
    this.#limit = { failure, until }
  }

  /** No more probes. Whoever waits for one is told that upstream is not there. */
  close(): void {
    this.#closed = true
    this.#cancelPause()
  }

  #passLimit(): void {
    const left = (this.#limit?.until ?? 0) - this.#deps.clock.monotonic()
    if (this.#limit === undefined || left <= 0) return
    const { message, status } = this.#limit.failure
    throw new UpstreamFailure('rate-limited', message, { retryAfter: Math.ceil(left / 1000), ...(status === undefined ? {} : { status }) })
  }

  async #probe(): Promise<void> {
    const { clock, log, name, probe, random } = this.#deps
    if (await probe()) {
      this.#breaker = CLOSED
      log.info({ endpoint: name }, 'upstream answers again')
    } else if (!this.#closed) {
      this.#breaker = probedInVain(this.#breaker, clock.monotonic(), random())
      this.#probed = this.#probeLater()
    }
  }

  #probeLater(): Promise<void> {
    const { clock } = this.#deps
    const pause = this.#breaker.state === 'open' ? this.#breaker.probeAt - clock.monotonic() : 0
    return new Promise(resolve => {
      const cancel = clock.after(pause, () => { resolve(this.#probe()) })
      this.#cancelPause = () => { cancel(); resolve() }
    })
  }
}
