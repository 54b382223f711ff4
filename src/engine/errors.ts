/**
 * The closed table of public refusals: code, status and the words a caller reads. One home for the response, the log,
 * the audit event, the metrics, the tests and docs/errors.md.
 */
export const publicCodes = {
  bad_request: { status: 400, title: 'Bad request', detail: 'the request is malformed or ambiguous' },
  credential_ambiguous: {
    status: 400,
    title: 'Ambiguous credentials',
    detail: 'the request carries more than one credential; send exactly one',
  },
  credential_missing: {
    status: 401,
    title: 'Credential missing',
    detail: 'this resource needs a credential',
  },
  credential_invalid: { status: 401, title: 'Credential invalid', detail: 'the credential was not accepted' },
  credential_expired: { status: 401, title: 'Credential expired', detail: 'the credential has expired' },
  credential_revoked: { status: 401, title: 'Credential revoked', detail: 'the credential was revoked' },
  insufficient_user_authentication: {
    status: 401,
    title: 'Stronger authentication needed',
    detail: 'the user must authenticate again, or more strongly',
  },
  insufficient_scope: {
    status: 403,
    title: 'Insufficient scope',
    detail: 'the credential lacks a required scope',
  },
  forbidden: { status: 403, title: 'Forbidden', detail: 'the caller may not do this' },
  route_not_found: { status: 404, title: 'Not found', detail: 'no route matches the request' },
  method_not_allowed: {
    status: 405,
    title: 'Method not allowed',
    detail: 'the route does not take this method',
  },
  request_timeout: { status: 408, title: 'Request timeout', detail: 'the request did not arrive in time' },
  payload_too_large: {
    status: 413,
    title: 'Payload too large',
    detail: 'the request body is larger than allowed',
  },
  uri_too_long: { status: 414, title: 'URI too long', detail: 'the request target is longer than allowed' },
  misdirected: {
    status: 421,
    title: 'Misdirected request',
    detail: 'this connection does not serve that host',
  },
  headers_too_large: {
    status: 431,
    title: 'Header fields too large',
    detail: 'the request head is larger than allowed',
  },
  rate_limited: {
    status: 429,
    title: 'Too many requests',
    detail: 'the rate limit is used up; try again later',
  },
  locked_out: {
    status: 429,
    title: 'Locked out',
    detail: 'too many failed credentials came from this address; try again later',
  },
  internal_error: {
    status: 500,
    title: 'Internal error',
    detail: 'the gateway failed to handle the request',
  },
  upstream_unavailable: {
    status: 502,
    title: 'Upstream unavailable',
    detail: 'the service could not be reached or answered wrongly',
  },
  upstream_timeout: { status: 504, title: 'Upstream timeout', detail: 'the service did not answer in time' },
  provider_unavailable: {
    status: 503,
    title: 'Provider unavailable',
    detail: 'the identity provider cannot be reached',
  },
  dependency_unavailable: {
    status: 503,
    title: 'Dependency unavailable',
    detail: 'something the gateway depends on is away',
  },
  shutting_down: { status: 503, title: 'Shutting down', detail: 'the gateway is shutting down' },
} as const

export type PublicCode = keyof typeof publicCodes

/**
 * The finer private words for what was wrong: audit log only, never the caller. Each says which public code it shows as.
 * `guess: true` marks what lockout counts: failed signatures, secrets and checksums, and unknown keys.
 */
export const reasons = {
  // accept and normalise
  malformed_head: { code: 'bad_request' },
  framing_ambiguous: { code: 'bad_request' },
  host_invalid: { code: 'bad_request' },
  method_invalid: { code: 'bad_request' },
  target_invalid: { code: 'bad_request' },
  path_invalid: { code: 'bad_request' },
  connection_names_protected_field: { code: 'bad_request' },
  body_malformed: { code: 'bad_request' },
  proxy_header_invalid: { code: 'bad_request' },
  proxy_not_trusted: { code: 'forbidden' },
  trace_refused: { code: 'method_not_allowed' },
  // authenticate: presence
  no_credential: { code: 'credential_missing' },
  several_credentials: { code: 'credential_ambiguous' },
  credential_repeated: { code: 'credential_ambiguous' },
  credential_empty: { code: 'credential_invalid' },
  scheme_unknown: { code: 'credential_invalid' },
  no_authenticator_takes_it: { code: 'credential_invalid' },
  // authenticate: API keys
  key_malformed: { code: 'credential_invalid', guess: true },
  key_checksum: { code: 'credential_invalid', guess: true },
  key_unknown: { code: 'credential_invalid', guess: true },
  key_not_for_authenticator: { code: 'credential_invalid' },
  key_not_yet_valid: { code: 'credential_invalid' },
  key_expired: { code: 'credential_expired' },
  key_revoked: { code: 'credential_revoked' },
  key_grace_over: { code: 'credential_expired' },
  key_quarantined: { code: 'forbidden' },
  // reports of leaked keys
  leak_report_unsigned: { code: 'credential_missing' },
  leak_report_key_unknown: { code: 'credential_invalid' },
  leak_report_forged: { code: 'credential_invalid', guess: true },
  leak_report_malformed: { code: 'bad_request' },
  // authenticate: JWT
  token_malformed: { code: 'credential_invalid' },
  token_too_large: { code: 'credential_invalid' },
  token_issuer: { code: 'credential_invalid' },
  token_not_admitted: { code: 'credential_invalid' },
  token_audience: { code: 'credential_invalid' },
  token_algorithm: { code: 'credential_invalid' },
  token_type: { code: 'credential_invalid' },
  token_kind: { code: 'credential_invalid' },
  token_critical_header: { code: 'credential_invalid' },
  token_key_unknown: { code: 'credential_invalid' },
  token_key_unfit: { code: 'credential_invalid' },
  token_signature: { code: 'credential_invalid', guess: true },
  token_not_yet_valid: { code: 'credential_invalid' },
  token_expired: { code: 'credential_expired' },
  token_lifetime: { code: 'credential_invalid' },
  token_claim: { code: 'credential_invalid' },
  token_bound: { code: 'credential_invalid' },
  token_client: { code: 'credential_invalid' },
  token_revoked: { code: 'credential_revoked' },
  // authenticate: introspection
  token_inactive: { code: 'credential_invalid', guess: true },
  introspection_unavailable: { code: 'provider_unavailable' },
  introspection_limited: { code: 'provider_unavailable' },
  // propagate: tokens for backends
  backend_token_unavailable: { code: 'provider_unavailable' },
  backend_token_refused: { code: 'provider_unavailable' },
  // authenticate: binding
  token_unbound: { code: 'credential_invalid' },
  bound_as_bearer: { code: 'credential_invalid' },
  bound_certificate_missing: { code: 'credential_invalid' },
  bound_certificate_other: { code: 'credential_invalid' },
  bound_certificate_fault: { code: 'credential_invalid' },
  dpop_missing: { code: 'credential_invalid' },
  dpop_unasked: { code: 'credential_invalid' },
  dpop_malformed: { code: 'credential_invalid' },
  dpop_type: { code: 'credential_invalid' },
  dpop_algorithm: { code: 'credential_invalid' },
  dpop_key_unfit: { code: 'credential_invalid' },
  dpop_key: { code: 'credential_invalid' },
  dpop_htm: { code: 'credential_invalid' },
  dpop_htu: { code: 'credential_invalid' },
  dpop_stale: { code: 'credential_invalid' },
  dpop_ath: { code: 'credential_invalid' },
  dpop_nonce: { code: 'credential_invalid' },
  dpop_signature: { code: 'credential_invalid', guess: true },
  dpop_replayed: { code: 'credential_invalid' },
  // authenticate: Basic
  basic_malformed: { code: 'credential_invalid', guess: true },
  basic_user: { code: 'credential_invalid', guess: true },
  // authenticate: HTTP message signatures
  signature_malformed: { code: 'credential_invalid' },
  signature_key_unknown: { code: 'credential_invalid' },
  signature_several: { code: 'credential_ambiguous' },
  signature_algorithm: { code: 'credential_invalid' },
  signature_components: { code: 'credential_invalid' },
  signature_nonce: { code: 'credential_invalid' },
  signature_wrong: { code: 'credential_invalid', guess: true },
  signature_not_yet_valid: { code: 'credential_invalid' },
  signature_stale: { code: 'credential_expired' },
  signature_expired: { code: 'credential_expired' },
  signature_replayed: { code: 'credential_invalid' },
  signature_revoked: { code: 'credential_revoked' },
  signature_digest: { code: 'credential_invalid' },
  // authenticate: client certificates
  certificate_malformed: { code: 'credential_invalid' },
  certificate_untrusted: { code: 'credential_invalid' },
  certificate_chain: { code: 'credential_invalid' },
  certificate_usage: { code: 'credential_invalid' },
  certificate_not_yet_valid: { code: 'credential_invalid' },
  certificate_expired: { code: 'credential_expired' },
  certificate_revoked: { code: 'credential_revoked' },
  certificate_revocation_unknown: { code: 'credential_invalid' },
  certificate_required: { code: 'credential_missing' },
  certificate_subject: { code: 'credential_invalid' },
  certificate_not_allowed: { code: 'credential_invalid' },
  ocsp_unavailable: { code: 'dependency_unavailable' },
  // authenticate: sessions
  session_unknown: { code: 'credential_missing' },
  session_expired: { code: 'credential_missing' },
  session_ended: { code: 'credential_missing' },
  session_elsewhere: { code: 'credential_missing' },
  session_revoked: { code: 'credential_revoked' },
  refresh_unavailable: { code: 'provider_unavailable' },
  // signing in and out
  parameter_repeated: { code: 'bad_request' },
  return_to_refused: { code: 'bad_request' },
  login_choice: { code: 'bad_request' },
  login_unknown: { code: 'bad_request' },
  login_expired: { code: 'bad_request' },
  login_mixed_up: { code: 'bad_request' },
  login_replayed: { code: 'bad_request' },
  login_denied: { code: 'forbidden' },
  login_failed: { code: 'credential_invalid' },
  login_overtaken: { code: 'credential_invalid' },
  login_unavailable: { code: 'provider_unavailable' },
  login_impossible: { code: 'provider_unavailable' },
  logout_token_invalid: { code: 'bad_request' },
  logout_token_replayed: { code: 'bad_request' },
  // cross-site
  origin_refused: { code: 'forbidden' },
  // limits
  rate_limit: { code: 'rate_limited' },
  key_rate_limit: { code: 'rate_limited' },
  lockout: { code: 'locked_out' },
  // authorize
  scope_missing: { code: 'insufficient_scope' },
  role_missing: { code: 'forbidden' },
  claim_mismatch: { code: 'forbidden' },
  claim_withheld: { code: 'forbidden' },
  address_refused: { code: 'forbidden' },
  key_address_refused: { code: 'forbidden' },
  key_route_refused: { code: 'forbidden' },
  condition_false: { code: 'forbidden' },
  condition_error: { code: 'forbidden' },
  acr_missing: { code: 'insufficient_user_authentication' },
  authentication_too_old: { code: 'insufficient_user_authentication' },
  // dependencies
  key_set_unavailable: { code: 'provider_unavailable' },
  store_unavailable: { code: 'dependency_unavailable' },
  audit_unavailable: { code: 'dependency_unavailable' },
  replay_unavailable: { code: 'dependency_unavailable' },
  body_memory_full: { code: 'dependency_unavailable' },
  revocations_stale: { code: 'dependency_unavailable' },
  // upstream
  connect_failed: { code: 'upstream_unavailable' },
  connection_lost: { code: 'upstream_unavailable' },
  response_invalid: { code: 'upstream_unavailable' },
  no_healthy_target: { code: 'upstream_unavailable' },
  connect_timeout: { code: 'upstream_timeout' },
  response_timeout: { code: 'upstream_timeout' },
  client_gone: { code: 'bad_request' },
} as const

export type Reason = keyof typeof reasons | PublicCode

/** @returns the public code that a reason shows as */
export function codeOf(reason: Reason): PublicCode {
  return reason in reasons ? reasons[reason as keyof typeof reasons].code : (reason as PublicCode)
}

/** @returns whether lockout counts the reason as a failed guess */
export function isGuess(reason: Reason): boolean {
  const entry = reasons[reason as keyof typeof reasons] as { guess?: true } | undefined
  return entry?.guess === true
}
