import { readdirSync, readFileSync } from 'node:fs'
import { join, posix } from 'node:path'
import ts from 'typescript'

/** One import of one file: static, dynamic, re-export or type-only. */
export interface Import {
  /** Relative to the directory that was read, with `/`. */
  file: string
  line: number
  /** As written. */
  specifier: string
  /** The imported file where it is one of the directory's, else undefined. */
  target: string | undefined
}

/** @returns the imports of every .ts file below a directory */
export function importsOf(directory: string): Import[] {
  return readdirSync(directory, { recursive: true, encoding: 'utf8' })
    .map(path => path.replaceAll('\\', '/'))
    .filter(path => path.endsWith('.ts') && !path.endsWith('.d.ts'))
    .sort()
    .flatMap(file => {
      const source = readFileSync(join(directory, file), 'utf8')
      return ts.preProcessFile(source).importedFiles.map(({ fileName, pos }) => ({
        file, specifier: fileName, target: targetOf(file, fileName), line: source.slice(0, pos).split('\n').length,
      }))
    })
}

function targetOf(file: string, specifier: string): string | undefined {
  if (!specifier.startsWith('.')) return undefined
  const path = posix.join(posix.dirname(file), specifier)
  return path.startsWith('..') ? undefined : path
}

/** How the parts of a program may know each other. A part is a directory, or a file at the top. */
export interface Rules {
  /** From the top down: a part imports parts below it, never beside or above. */
  layers: string[][]
  /** Known to all, knowing only each other, and the parts named beside them. */
  leaves: Record<string, string[]>
  /** Files that outside their own directory only `composer` may import. */
  implementations: RegExp
  composer: string
  /** Packages that exactly one file may import. */
  singleSite: string[]
}

/** @returns one sentence per offence, beginning with file and line */
export function offences(imports: Import[], rules: Rules): string[] {
  return [...imports.flatMap(found => offencesOf(found, rules)), ...secondSites(imports, rules), ...cycles(imports)]
}

function offencesOf(found: Import, rules: Rules): string[] {
  if (found.target === undefined) return []
  const [from, to] = [partOf(found.file), partOf(found.target)]
  const say = (why: string): string[] => [`${found.file}:${found.line}: ${found.specifier}: ${why}`]
  const unplaced = [from, to].find(part => layerOf(part, rules) < 0 && !(part in rules.leaves))
  if (unplaced !== undefined) return say(`"${unplaced}" has no place in the layers`)
  if (from !== to && !(to in rules.leaves)) {
    const leaf = rules.leaves[from]
    if (leaf) return leaf.includes(to) ? [] : say(`a leaf does not know ${to}`)
    if (layerOf(from, rules) >= layerOf(to, rules)) return say(`imports point down only: ${from} is not above ${to}`)
    if (rules.implementations.test(found.target) && found.file !== rules.composer) return say(`only ${rules.composer} names implementations`)
  }
  return []
}

function partOf(file: string): string {
  return file.split('/', 1)[0] ?? file
}

function layerOf(part: string, rules: Rules): number {
  return rules.layers.findIndex(layer => layer.includes(part))
}

function secondSites(imports: Import[], rules: Rules): string[] {
  return rules.singleSite.flatMap(name => {
    const sites = imports.filter(({ specifier }) => specifier === name || specifier.startsWith(`${name}/`))
    return sites
      .filter(({ file }) => file !== sites[0]?.file)
      .map(({ file, line }) => `${file}:${line}: ${name}: has its one import site in ${sites[0]?.file}`)
  })
}

function cycles(imports: Import[]): string[] {
  const edges = new Map<string, Import[]>()
  for (const found of imports) edges.set(found.file, [...(edges.get(found.file) ?? []), found])
  const done = new Set<string>()
  const visit = (file: string, trail: string[]): string[] => {
    if (done.has(file)) return []
    const offences = (edges.get(file) ?? []).flatMap(({ target, line }) => {
      if (target === undefined) return []
      const start = [...trail, file].indexOf(target)
      if (start >= 0) return [`${file}:${line}: cycle: ${[...trail, file].slice(start).join(' → ')} → ${target}`]
      return visit(target, [...trail, file])
    })
    done.add(file)
    return offences
  }
  return [...edges.keys()].flatMap(file => visit(file, []))
}
