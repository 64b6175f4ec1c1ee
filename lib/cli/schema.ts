import { jsonSchema } from '../config/json-schema.ts'
import { EXIT, type Command } from './command.ts'

export const schema: Command = {
  summary: 'print the JSON Schema of the configuration',
  usage: `schema

Prints the JSON Schema of the configuration, for editors and for validators in CI. It comes with entrepot as config.schema.json.`,
  options: {},
  async run({ positionals }, io) {
    if (positionals.length > 0) {
      io.err('entrepot schema: takes no arguments\n')
      return EXIT.wrongUsage
    }
    io.out(`${JSON.stringify(jsonSchema(), null, 2)}\n`)
    return EXIT.done
  },
}
