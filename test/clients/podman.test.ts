import t from 'tap'
import { clientScenario } from '../support/client-scenario.ts'
import { podman } from '../support/clients.ts'

await clientScenario(t, ['podman'], t => podman(t))
