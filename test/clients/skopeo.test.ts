import t from 'tap'
import { clientScenario } from '../support/client-scenario.ts'
import { skopeo } from '../support/clients.ts'

await clientScenario(t, ['skopeo'], t => skopeo(t))
