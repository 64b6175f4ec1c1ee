import { dirname, resolve } from 'node:path'
import { assemble, type ValidConfig } from './assemble.ts'
import type { Config } from './config.ts'
import { readDocument, YamlSyntaxError, type SourceDocument } from './document.ts'
import { FileError, readText } from './files.ts'
import type { OutsideValue } from './keywords.ts'
import { readOutside, type OutsideOptions } from './outside.ts'
import { readable } from './pointer.ts'
import { ConfigError, type Finding, type Problem } from './problem.ts'
import { createValidator } from './validate.ts'

export interface ReadOptions {
  /** Where `{ env: NAME }` is looked up; default: the environment of this process. */
  env?: Record<string, string | undefined>
  /**
   * `required`, the default: a secret that is not there is an error. `optional`: it is a warning, and the Config has
   * no credentials there; for looking at a configuration where its secrets do not exist, not for serving it.
   */
  secrets?: 'required' | 'optional'
}

export interface LoadOptions extends ReadOptions {
  onWarning?: (warning: Problem) => void
}

export interface ConfigAndWarnings {
  config: Config
  warnings: Problem[]
}

/** Reads a configuration file. @throws ConfigError, and nothing else */
export async function loadConfig(file: string, options: LoadOptions = {}): Promise<Config> {
  const { config, warnings } = await readConfig(file, options)
  for (const warning of warnings) options.onWarning?.(warning)
  return config
}

/** @throws ConfigError, and nothing else */
export async function readConfig(file: string, options: ReadOptions = {}): Promise<ConfigAndWarnings> {
  return parseConfig(await readFile(file), { ...options, file })
}

async function readFile(file: string): Promise<string> {
  try {
    return await readText(file)
  } catch (error) {
    if (error instanceof FileError) throw new ConfigError([{ file, path: '', message: `the configuration file ${error.message}` }])
    throw error
  }
}

/**
 * A configuration from its text; reads the secrets and certificates that it names.
 * @param options.file names the text in messages; relative paths are relative to its directory
 * @throws ConfigError, and nothing else
 */
export async function parseConfig(text: string, options: ReadOptions & { file: string }): Promise<ConfigAndWarnings> {
  const { file, env = process.env, secrets = 'required' } = options
  const directory = dirname(resolve(file))
  const document = parseText(text, file)
  const found = createValidator()(document.data)
  const read = await readAll(found.outside, { env, directory }, secrets)
  const toProblems = (findings: Finding[]): Problem[] => inOrder(firstOfEachPlace(findings).map(finding => locate(finding, document, file)))
  const problems = toProblems([...document.findings, ...found.problems, ...read.problems])
  const warnings = toProblems([...found.warnings, ...read.warnings])
  if (problems.length > 0) throw new ConfigError(problems, warnings)
  // Without a problem, the data is what the schema says; a test holds the two together.
  return { config: assemble(document.data as ValidConfig, directory), warnings }
}

function parseText(text: string, file: string): SourceDocument {
  try {
    const document = readDocument(text)
    if (document.data === null) throw new ConfigError([{ file, path: '', message: 'the configuration file is empty; config.example.yaml shows what to write' }])
    return document
  } catch (error) {
    if (!(error instanceof YamlSyntaxError)) throw error
    throw new ConfigError(error.problems.map(problem => ({ file, path: '', ...problem })))
  }
}

async function readAll(values: OutsideValue[], options: OutsideOptions, secrets: 'required' | 'optional'): Promise<{ problems: Finding[]; warnings: Finding[] }> {
  const problems: Finding[] = []
  const warnings: Finding[] = []
  for (const value of values) {
    const mistake = await readOutside(value, options)
    if (mistake === undefined) continue
    const list = secrets === 'optional' && mistake.excusable ? warnings : problems
    list.push({ place: value.place, message: mistake.message })
  }
  return { problems, warnings }
}

function firstOfEachPlace(findings: Finding[]): Finding[] {
  const places = new Map<string, Finding>()
  for (const finding of findings) if (!places.has(finding.place)) places.set(finding.place, finding)
  return [...places.values()]
}

function locate({ place, message, ofKey }: Finding, document: SourceDocument, file: string): Problem {
  const { line, column } = ofKey === true ? document.keyPositionOf(place) : document.positionOf(place)
  return { file, line, column, path: readable(place), message }
}

function inOrder(problems: Problem[]): Problem[] {
  return problems.sort((a, b) => (a.line ?? 0) - (b.line ?? 0) || (a.column ?? 0) - (b.column ?? 0))
}
