/** What a provider says of a token that only it can read. */
export type IntrospectionAnswer =
  /** The provider vouches for it now. `claims` is the whole answer, from one strict JSON object; nothing in it is judged yet. */
  | { readonly outcome: 'active'; readonly claims: Readonly<Record<string, unknown>> }
  | { readonly outcome: 'inactive' }
  | {
      readonly outcome: 'unavailable'
      /** `malformed` and `server_error` are about this question; the others would meet any. */
      readonly fault: 'unreachable' | 'client_refused' | 'misconfigured' | 'malformed' | 'server_error'
      /** For the operator; never the token, nor anything of the answer. */
      readonly detail: string
      /** Milliseconds after which it may be asked again. */
      readonly retryAfter: number
    }

/** Asks the provider about opaque tokens. One question for each call: the caller remembers, joins and bounds them. */
export interface Introspector {
  /** Never rejects for what a provider or the network does. @see RFC 7662 */
  introspect(token: string): Promise<IntrospectionAnswer>
}
