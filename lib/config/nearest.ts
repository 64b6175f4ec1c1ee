import { closestMatch } from 'leven'

/** The candidate that was probably meant: a slip of the keyboard away, a part of the word, or a few slips away. */
export function nearest(word: string, candidates: readonly string[]): string | undefined {
  const wanted = simplified(word)
  if (wanted.length < SHORTEST || wanted.length > LONGEST) return undefined
  const plain = new Map(candidates.map(candidate => [simplified(candidate), candidate]))
  const words = [...plain.keys()]
  const found = closestMatch(wanted, words, { maxDistance: 1 })
    ?? words.find(candidate => isPart(wanted, candidate))
    ?? closestMatch(wanted, words, { maxDistance: Math.floor(wanted.length * 0.4) })
  return found === undefined ? undefined : plain.get(found)
}

// Any two letters are two slips away from any other two.
const SHORTEST = 3
const LONGEST = 100

function simplified(word: string): string {
  return word.toLowerCase().replaceAll(/[^a-z0-9]/g, '')
}

function isPart(one: string, other: string): boolean {
  return Math.min(one.length, other.length) >= SHORTEST && (one.includes(other) || other.includes(one))
}

/** Ends a sentence about an unknown word. */
export function suggestion(word: string, candidates: readonly string[]): string {
  const best = nearest(word, candidates)
  if (best !== undefined) return `, did you mean "${best}"?`
  return candidates.length === 0 ? '' : `; known here: ${candidates.slice(0, 20).join(', ')}`
}
