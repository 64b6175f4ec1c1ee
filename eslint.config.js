import { defineConfig } from 'eslint/config'
import tseslint from 'typescript-eslint'

/** Each ban says why: the rule's message is what its offender reads. */

const TIME = 'time is passed in (lib/clock.ts), so that tests turn it by hand instead of sleeping'
const CHANCE = 'chance is passed in, so that tests decide it'

/** Risky packages have one import site each, where their oddities are dealt with. That nothing else has two is a test: test/architecture.test.ts. */
const SITES = {
  'undici': ['lib/upstream/dispatcher.ts', 'timeouts, proxies, TLS and redirects are settled there, once'],
  'ioredis': ['lib/store/redis-meta-store.ts', 'Redis going away must never fail a pull; that is ensured there'],
  'node-cache': ['lib/store/memory-meta-store.ts', 'it is one MetaStore of two; use the contract'],
  'http-proxy': ['lib/http/passthrough.ts', 'it hangs clients and leaks upstream requests unless cured as there'],
}

const restrictedImports = allowed => ['error', {
  paths: [
    ...Object.entries(SITES).filter(([name]) => name !== allowed).map(([name, [site, why]]) => ({ name, message: `Only ${site} imports it: ${why}.` })),
    { name: 'node:timers', message: TIME },
    { name: 'node:timers/promises', message: TIME },
    { name: 'node:perf_hooks', message: TIME },
  ],
}]

const noHandRolledTypes = [
  { selector: 'TSEnumDeclaration', message: 'Enums are no erasable syntax: Node and Deno run these sources unbuilt. Use a union of strings.' },
  { selector: 'TSModuleDeclaration[kind="namespace"]', message: 'Namespaces are no erasable syntax: Node and Deno run these sources unbuilt. A file is a namespace.' },
  { selector: 'TSParameterProperty', message: 'Parameter properties are no erasable syntax: Node and Deno run these sources unbuilt. Declare the field.' },
]

const noWeakHashes = {
  selector: 'CallExpression[callee.name=/^create(Hash|Hmac)$/][arguments.0.value=/^(md5|sha1)$/i]',
  message: 'MD5 and SHA-1 collide: content that two parties can make equal is no identity. Use sha256.',
}

export default defineConfig(
  { ignores: ['dist/', 'coverage/', '.tap/', 'test/runtimes/', '**/node_modules/'] },
  {
    files: ['lib/**/*.ts', 'test/**/*.ts', 'bench/**/*.ts', 'scripts/**/*.ts'],
    plugins: { '@typescript-eslint': tseslint.plugin },
    languageOptions: { parser: tseslint.parser, parserOptions: { projectService: true } },
    linterOptions: { reportUnusedDisableDirectives: 'error' },
    rules: {
      'no-restricted-syntax': ['error', ...noHandRolledTypes, noWeakHashes],
      'eqeqeq': 'error',
      'no-var': 'error',
      'prefer-const': 'error',
      'no-eval': 'error',
      'no-console': 'error',
      '@typescript-eslint/no-explicit-any': 'error',
      '@typescript-eslint/no-floating-promises': ['error', {
        // tap itself waits for its subtests.
        allowForKnownSafePromises: [{ from: 'package', package: '@tapjs/core', name: 'PromiseWithSubtest' }],
      }],
      '@typescript-eslint/no-misused-promises': 'error',
      '@typescript-eslint/await-thenable': 'error',
      '@typescript-eslint/return-await': ['error', 'error-handling-correctness-only'],
      '@typescript-eslint/only-throw-error': 'error',
      '@typescript-eslint/prefer-promise-reject-errors': 'error',
      '@typescript-eslint/consistent-type-imports': ['error', { fixStyle: 'inline-type-imports' }],
      '@typescript-eslint/switch-exhaustiveness-check': ['error', { considerDefaultExhaustiveForUnions: true }],
      '@typescript-eslint/no-unused-vars': ['error', { argsIgnorePattern: '^_', varsIgnorePattern: '^_', caughtErrorsIgnorePattern: '^_', ignoreRestSiblings: true }],
      '@typescript-eslint/no-unnecessary-type-assertion': 'error',
    },
  },
  {
    files: ['lib/**/*.ts'],
    rules: {
      '@typescript-eslint/no-unsafe-argument': 'error',
      '@typescript-eslint/no-unsafe-assignment': 'error',
      '@typescript-eslint/no-unsafe-call': 'error',
      '@typescript-eslint/no-unsafe-member-access': 'error',
      '@typescript-eslint/no-unsafe-return': 'error',
      '@typescript-eslint/no-base-to-string': 'error',
      '@typescript-eslint/restrict-template-expressions': ['error', { allowNumber: true, allowNullish: false }],
      '@typescript-eslint/use-unknown-in-catch-callback-variable': 'error',
      '@typescript-eslint/no-non-null-assertion': 'error',
      'no-restricted-imports': restrictedImports(undefined),
      'no-restricted-globals': ['error',
        { name: 'setTimeout', message: TIME }, { name: 'setInterval', message: TIME }, { name: 'performance', message: TIME },
        { name: 'fetch', message: 'It decompresses and follows redirects with credentials; ask the Upstream contract.' },
      ],
      'no-restricted-properties': ['error',
        { object: 'Date', property: 'now', message: TIME },
        { object: 'process', property: 'exit', message: 'It cuts off what is being written; set process.exitCode and let things end. Only cli/ may.' },
      ],
      'no-restricted-syntax': ['error', ...noHandRolledTypes, noWeakHashes,
        { selector: 'NewExpression[callee.name="Date"][arguments.length=0]', message: TIME },
        { selector: 'CallExpression[callee.object.name="Math"][callee.property.name="random"]', message: CHANCE },
      ],
    },
  },
  ...Object.entries(SITES).map(([name, [site]]) => ({ files: [site], rules: { 'no-restricted-imports': restrictedImports(name) } })),
  {
    // Where time comes from.
    files: ['lib/clock.ts'],
    rules: { 'no-restricted-globals': 'off', 'no-restricted-properties': 'off' },
  },
  {
    // Where the process may end.
    files: ['lib/cli/**/*.ts'],
    rules: { 'no-restricted-properties': ['error', { object: 'Date', property: 'now', message: TIME }] },
  },
  {
    // What is printed is for the command line to decide; everywhere else there is a Log.
    files: ['lib/cli/**/*.ts', 'bench/**/*.ts', 'scripts/**/*.ts'],
    rules: { 'no-console': 'off' },
  },
)
