import type { Machine } from './machine.ts'
import { cost, typical, type Figure, type Measured, type Result } from './measure.ts'

/** What stands beside entrepot, and is divided by. */
const PEER = 'docker-registry'

const HEADER = ['', 'entrepot', PEER, 'ratio', 'reference', 'CPU entrepot', `CPU ${PEER}`, 'CPU ratio', 'MiB entrepot', `MiB ${PEER}`]

/** A line a figure; the first line of a measurement says its costs too. The median of each, and entrepot divided by its peer. */
export function rows(measured: readonly Measured[]): string[][] {
  return [HEADER, ...measured.flatMap(one => one.figures.map((figure, index) => [
    `${one.title}: ${label(figure)}`, ...figureCells(one, index), ...(index === 0 ? costCells(one) : ['', '', '', '', '']),
  ]))]
}

function label({ name, unit, better }: Figure): string {
  return `${name}${unit === '' ? '' : `, ${unit}`}${better === 'less' ? ' ↓' : ''}`
}

function figureCells({ results }: Measured, figure: number): string[] {
  const [ours, peer] = pair(results).map(result => result && typical(result, figure))
  const others = results.filter(({ server }) => server !== 'entrepot' && server !== PEER)
  return [number(ours), number(peer), ratio(ours, peer), others.map(other => `${number(typical(other, figure))} ${other.server}`).join(', ')]
}

function costCells({ results, work }: Measured): string[] {
  const both = pair(results)
  const [ours, peer] = both.map(result => result && cost(result))
  const [scale, unit] = work === 'GiB' ? [1, 's/GiB'] : [1e6, 'µs/request']
  const cpu = [ours, peer].map(seconds => (seconds === undefined ? '' : `${number(seconds * scale)} ${unit}`))
  return [...cpu, ratio(ours, peer), ...both.map(result => (result ? (result.peakMemory / 2 ** 20).toFixed(0) : ''))]
}

function pair(results: readonly Result[]): [Result | undefined, Result | undefined] {
  return [results.find(({ server }) => server === 'entrepot'), results.find(({ server }) => server === PEER)]
}

function ratio(ours: number | undefined, peer: number | undefined): string {
  return ours === undefined || peer === undefined ? '' : `${number(ours / peer)} ×`
}

/** Three digits: more would be noise. */
function number(value: number | undefined): string {
  if (value === undefined || !Number.isFinite(value)) return '–'
  return value >= 100 ? value.toFixed(0) : String(Number(value.toPrecision(3)))
}

export function plainTable(table: readonly string[][]): string {
  const widths = (table[0] ?? []).map((_, column) => Math.max(...table.map(row => row[column]?.length ?? 0)))
  return table.map(row => row.map((cell, column) => (column === 0 ? cell.padEnd(widths[column] ?? 0) : cell.padStart(widths[column] ?? 0))).join('  ').trimEnd()).join('\n')
}

export function markdownTable([header = [], ...body]: readonly string[][]): string {
  const line = (cells: readonly string[]): string => `| ${cells.join(' | ')} |`
  return [line(header), line(header.map((_, column) => (column === 0 ? '---' : '---:'))), ...body.map(line)].join('\n')
}

/** What a reader must know before the table. */
export function preface(machine: Machine, rounds: number, tools: readonly string[]): string {
  const { cores, cpu, memory, kernel, fileSystem, node, dockerRegistry } = machine
  return `${cores} cores (${cpu}), ${memory}, Linux ${kernel}, ${fileSystem}; Node ${node}; docker-registry ${dockerRegistry} as pull-through; load by ${tools.join(', ')}.
Everything on loopback and on this one machine: clients, caches and upstream share its cores. Medians of ${rounds} alternating rounds.
Ratio: entrepot divided by docker-registry; ↓: less is better. CPU: user and system, until the server was quiet again. MiB: the most that was resident.`
}
