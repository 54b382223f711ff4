/** Checks between the parts of a configuration whose shape is right. */
import type { Complaint } from '../fault.ts'
import type { Path } from '../path.ts'
import type { ParsedConfiguration } from '../schema.ts'
import type { ParsedRoute } from '../schema/routes.ts'

export interface CheckContext {
  /** What is whole of the configuration. */
  readonly configuration: ParsedConfiguration
  /** Where the routes of `configuration` stand in the file. */
  readonly routeIndexes: readonly number[]
  /** All that is named, also what is broken in itself. */
  readonly names: Readonly<Record<NamedSection, ReadonlySet<string>>>
  /** What was written, references resolved. */
  readonly tree: unknown
  /** The folder at which relative paths start. */
  readonly folder: string
}

export type NamedSection = 'providers' | 'authenticators' | 'upstreams'

export type Check = (context: CheckContext) => Iterable<Complaint>

/** The routes with their paths in the file. */
export function routesOf(
  context: CheckContext,
): readonly { readonly route: ParsedRoute; readonly path: Path }[] {
  return context.configuration.routes.map((route, index) => ({
    route,
    path: ['routes', context.routeIndexes[index]!],
  }))
}
