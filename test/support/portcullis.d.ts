/** What `import … from 'portcullis'` means to the compiler in a checkout, where the built package need not exist. */
/* oxlint-disable typescript/consistent-type-imports -- a declared module cannot import by a relative path */
declare module 'portcullis' {
  export const defineConfig: typeof import('../../src/index.ts').defineConfig
  export type ConfigurationInput = import('../../src/index.ts').ConfigurationInput
}
