/** What a text means, or what is wrong with it: a sentence that goes on after the place's name, and never quotes a secret. */
export type Parsed<T> = { value: T; /** Accepted, but worth saying. */ warning?: string } | { mistake: string }
