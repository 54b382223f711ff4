/** The package's public face for programs: what a `portcullis.config.ts` imports. */
export { defineConfig } from './config/define.ts'
export type { ConfigurationInput } from './config/input.ts'
