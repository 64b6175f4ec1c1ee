import { Client, type Fetched } from './client.ts'

// A process of its own: what the clients cost is not in the servers' figures, nor does the harness keep them waiting.

/** So many connections at once, each with so many GETs of the URL, one after the other. */
export interface DrainJob {
  url: string
  connections: number
  times: number
  /** Hashes what comes: for the rounds that are not timed. */
  check: boolean
}

export interface Drained {
  /** From the first connect to the last byte. */
  seconds: number
  /** Of bodies. */
  bytes: number
  /** Milliseconds from the request to the first byte of the body, of each connection's first GET. */
  firstBytes: number[]
  /** Of each body, hex; empty unless checked. */
  sha256: string[]
}

export type DrainReply = { drained: Drained } | { error: string }

process.on('message', (job: DrainJob) => {
  drain(job).then(
    drained => process.send?.({ drained } satisfies DrainReply),
    (error: unknown) => process.send?.({ error: String(error) } satisfies DrainReply),
  )
})
process.on('disconnect', () => process.exit(0))

async function drain(job: DrainJob): Promise<Drained> {
  const began = performance.now()
  const all = await Promise.all(Array.from({ length: job.connections }, () => fetches(job)))
  return {
    seconds: (performance.now() - began) / 1000,
    bytes: all.flat().reduce((sum, { bytes }) => sum + bytes, 0),
    firstBytes: all.map(([first]) => first?.firstByte ?? NaN),
    sha256: all.flat().flatMap(({ sha256 }) => sha256 ?? []),
  }
}

async function fetches({ url, times, check }: DrainJob): Promise<Fetched[]> {
  const client = new Client(url)
  try {
    const fetched: Fetched[] = []
    for (let left = times; left > 0; left -= 1) fetched.push(await client.get(check))
    return fetched
  } finally {
    client.close()
  }
}
