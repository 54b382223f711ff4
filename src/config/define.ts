import type { ConfigurationInput } from './input.ts'

/**
 * Gives a TypeScript configuration its type: `export default defineConfig({ … })` in `portcullis.config.ts`.
 * It is validated like YAML when it is loaded.
 */
export function defineConfig(configuration: ConfigurationInput): ConfigurationInput {
  return configuration
}
