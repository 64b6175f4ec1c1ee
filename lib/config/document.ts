import { isAlias, isMap, isScalar, isSeq, LineCounter, parseDocument, type Node, type YAMLMap } from 'yaml'
import { below, parentOf, type Pointer } from './pointer.ts'
import { describeSyntax } from './syntax.ts'
import type { Finding } from './problem.ts'

export interface Position {
  line: number
  column: number
}

/** A YAML file as plain data that remembers where everything stands. */
export interface SourceDocument {
  /** Objects have no prototype, so that a key named `constructor` is a key like any other. Nothing is shared. */
  data: unknown
  /** Keys written twice, unknown aliases and the like: `data` is good enough to look for more. */
  findings: Finding[]
  /** Where the value stands; where it is not in the file, the key of the nearest place above it. */
  positionOf(place: Pointer): Position
  /** Where the key stands. */
  keyPositionOf(place: Pointer): Position
}

export interface SyntaxProblem extends Position {
  message: string
}

export class YamlSyntaxError extends Error {
  override readonly name = 'YamlSyntaxError'
  readonly problems: SyntaxProblem[]

  constructor(problems: SyntaxProblem[]) {
    super(problems.map(problem => problem.message).join('\n'))
    this.problems = problems
  }
}

/** @throws YamlSyntaxError for what is not one YAML 1.2 document */
export function readDocument(text: string): SourceDocument {
  const lines = new LineCounter()
  const position = (offset: number): Position => {
    const { line, col } = lines.linePos(offset)
    return { line: Math.max(line, 1), column: Math.max(col, 1) }
  }
  const document = parseDocument(text, {
    lineCounter: lines,
    prettyErrors: false, // they quote the line, and a secret may stand there
    stringKeys: true,
    uniqueKeys: false, // quadratic: sixty thousand keys take half a minute; the reader below does it
    schema: 'core', // also under %YAML 1.1, where `no` would be false
    merge: false,
  })
  const problems = [...document.errors, ...document.warnings].map(error => ({ ...position(error.pos[0]), message: describeSyntax(error.code) }))
  if (problems.length > 0) throw new YamlSyntaxError(onePerLine(problems))

  const reader = new Reader()
  const data = reader.read(document.contents)
  const keyPositionOf = (place: Pointer): Position => position(reader.keys.get(place) ?? reader.values.get(place) ?? 0)
  return {
    data,
    findings: reader.findings,
    keyPositionOf,
    positionOf(place) {
      const own = reader.values.get(place)
      return own === undefined ? keyPositionOf(nearestKnown(place, reader.values)) : position(own)
    },
  }
}

/** What follows on the same line is mostly the parser's own confusion. */
function onePerLine(problems: SyntaxProblem[]): SyntaxProblem[] {
  return problems.filter(({ line }, index) => line !== problems[index - 1]?.line)
}

function nearestKnown(place: Pointer, known: Map<Pointer, number>): Pointer {
  let above = place
  while (above !== '' && !known.has(above)) above = parentOf(above)
  return above
}

// Far beyond any real configuration: a thousand projects are twenty thousand values.
const MOST_VALUES = 50_000
const DEEPEST = 32
const TOO_MANY = `more than ${MOST_VALUES} values, with aliases (*name) written out; this is no configuration of entrepot`

/** Turns nodes into plain data. Aliases are written out, within bounds: a few lines of them can mean billions of values. */
class Reader {
  readonly findings: Finding[] = []
  readonly keys = new Map<Pointer, number>()
  readonly values = new Map<Pointer, number>()
  readonly #anchors = new Map<string, Node>()
  readonly #open = new Set<Node>()
  #count = 0

  read(node: unknown, place: Pointer = '', depth = 0): unknown {
    if (isAlias(node)) return this.#alias(node.source, node.range?.[0], place, depth)
    if (!isScalar(node) && !isMap(node) && !isSeq(node)) return null
    if (node.anchor !== undefined) this.#anchors.set(node.anchor, node)
    // An empty value stands nowhere: its key is shown instead.
    if (!isScalar(node) || node.value !== null || node.source !== '') this.#at(place, node.range?.[0])
    this.#count += 1
    if (this.#count > MOST_VALUES) throw new YamlSyntaxError([{ line: 1, column: 1, message: TOO_MANY }])
    if (depth > DEEPEST) return this.#refuse(place, 'is nested too deep')
    if (isScalar(node)) return node.value
    this.#open.add(node)
    const value = isMap(node)
      ? this.#map(node, place, depth)
      : node.items.map((item, index) => this.read(item, below(place, index), depth + 1))
    this.#open.delete(node)
    return value
  }

  #map(node: YAMLMap, place: Pointer, depth: number): object {
    const object = Object.create(null) as Record<string, unknown>
    for (const pair of node.items) {
      if (!isScalar(pair.key)) continue
      const key = String(pair.key.value)
      const child = below(place, key)
      const offset = pair.key.range?.[0] ?? 0
      this.keys.set(child, offset)
      this.#at(child, offset)
      if (key in object) this.findings.push({ place: child, message: 'is written twice; remove one', ofKey: true })
      if (key === '<<') this.#refuse(child, 'merge keys are not supported; repeat the keys, or use an alias (*name) for a whole value')
      else object[key] = this.read(pair.value, child, depth + 1)
    }
    return object
  }

  #alias(name: string, offset: number | undefined, place: Pointer, depth: number): unknown {
    const target = this.#anchors.get(name)
    if (target !== undefined && !this.#open.has(target)) return this.read(target, place, depth)
    this.#at(place, offset)
    // The name is not quoted: it may be a password that happens to begin with *.
    if (target !== undefined) return this.#refuse(place, 'is an alias (*name) that refers to itself; write the value out')
    return this.#refuse(place, 'is an alias (*name) without an anchor (&name) before it; a text that begins with * must be in quotes')
  }

  #at(place: Pointer, offset: number | undefined): void {
    if (offset !== undefined) this.values.set(place, offset)
  }

  #refuse(place: Pointer, message: string): null {
    this.findings.push({ place, message })
    return null
  }
}
