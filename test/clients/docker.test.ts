import t from 'tap'
import { clientScenario } from '../support/client-scenario.ts'
import { docker } from '../support/clients.ts'

await clientScenario(t, ['dockerd'], t => docker(t))
