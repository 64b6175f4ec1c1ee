import { createLog } from '../lib/log.ts'
import { UpstreamFailure } from '../lib/upstream/failure.ts'

/** Logs what is logged, and what must not be, to standard output: `log-writer.ts LEVEL FORMAT`. */
const [, , level, format] = process.argv
const log = await createLog({ level: level as 'info', format: format as 'json' })

const SECRET = { headers: { authorization: 'Bearer hunter2' }, url: 'https://cdn/?X-Amz-Signature=hunter2' }
const cause = Object.assign(new Error('connect ECONNREFUSED'), { code: 'ECONNREFUSED', ...SECRET })
const circular = new Error('round')
circular.cause = new Error('and round', { cause: circular })

log.debug({ turn: 1 }, 'for developers')
log.info({ status: 200 }, 'request')
log.warn({ err: Object.assign(new UpstreamFailure('unreachable', 'no way', { cause }), SECRET) }, 'upstream')
log.error({ err: new TypeError('bug') }, 'ours')
log.error({ err: { response: SECRET } }, 'thrown')
log.error({ err: new Error('outer', { cause: { response: SECRET } }) }, 'caused')
log.error({ err: 'text' }, 'said')
log.error({ err: circular }, 'circular')
log.info('the end')
