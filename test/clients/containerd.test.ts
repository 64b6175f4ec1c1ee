import t from 'tap'
import { clientScenario } from '../support/client-scenario.ts'
import { containerd } from '../support/clients.ts'

await clientScenario(t, ['containerd'], async t => {
  const ctr = await containerd(t)
  return {
    // As a cluster has it: the image's own name, and a hosts.toml that leads here.
    pull(reference, options) {
      const [, host = '', path = ''] = /^([^/]+)\/p\/(.*)$/.exec(reference) ?? []
      // Both forms: a host with a path of its own, and after it a server under whose path /v2 is.
      ctr.hosts('registry.example', `server = "http://${host}/p"\n[host."http://${host}/v2/p"]\n  capabilities = ["pull", "resolve"]\n  override_path = true\n`)
      return ctr.pull(`registry.example/${path}`, options)
    },
  }
})
