/** The package's public face for programs: what a `portcullis.config.ts` imports. */
export { defineConfig, type ConfigurationInput } from './config/define.ts'
