/**
 * What people write in `portcullis.config.ts`. Made by `npm run generate` from the schema: do not edit.
 */
/* oxlint-disable max-lines -- made by a program, read by editors */

/** Who may come in: a list of authenticators (any one of them), `{ all: […] }`, `{ optional: […] }`, or the word `none` for a public route. */
export type AuthenticateInput =
  | 'none'
  | readonly string[]
  | {
      /** Each of these must hold; the first names the caller. */
      readonly all?: readonly string[] | undefined
      /** None of these need be there; one that is there must hold. */
      readonly optional?: readonly string[] | undefined
    }

/** What the caller must be allowed to: all that is written must hold. Without it, any authenticated caller passes. */
export interface AuthorizeInput {
  /** Address ranges that may call. */
  readonly addresses?: readonly string[] | undefined
  /** Scopes that the caller must have, all of them. */
  readonly scopes?: readonly string[] | undefined
  /** Roles of which the caller must have one. */
  readonly roles?: readonly string[] | undefined
  /** Claims (dots go deeper) that must equal, or contain, one of the values, of the same type. */
  readonly claims?:
    | { readonly [name: string]: string | number | boolean | readonly (string | number | boolean)[] }
    | undefined
  /** How strongly the caller must have authenticated: accepted values of `acr` (RFC 9470). */
  readonly acr?: string | readonly string[] | undefined
  /** How long ago the caller may have authenticated (RFC 9470). */
  readonly maxAge?: string | undefined
  /** A condition in CEL over `identity`, `request` and `route`; only `true` lets pass. */
  readonly when?: string | undefined
  /** Cedar policies. */
  readonly cedar?:
    | {
        /** File with the policies. */
        readonly policies: string
        /** File with the schema. */
        readonly schema?: string | undefined
      }
    | undefined
  /** A policy engine elsewhere. */
  readonly external?:
    | {
        /** What the engine speaks. */
        readonly type: 'authzen' | 'opa'
        /** Where it is asked. */
        readonly url: string
        /** How long an answer may take. */
        readonly timeout?: string | undefined
      }
    | undefined
}

/** How often one caller may come. A list for several limits. */
export type RateLimitInput =
  | {
      /** So many in a period. A bucket of that size that refills evenly. */
      readonly limit: string
      /** What is counted by. Without an identity, `identity` and `key` count by address. Default: identity. */
      readonly key?: string | undefined
      /** How many more the bucket holds. Default: 0. */
      readonly burst?: number | undefined
      /** How exactly replicas count together. Default: exact. */
      readonly accuracy?: 'exact' | undefined
    }
  | readonly {
      /** So many in a period. A bucket of that size that refills evenly. */
      readonly limit: string
      /** What is counted by. Without an identity, `identity` and `key` count by address. Default: identity. */
      readonly key?: string | undefined
      /** How many more the bucket holds. Default: 0. */
      readonly burst?: number | undefined
      /** How exactly replicas count together. Default: exact. */
      readonly accuracy?: 'exact' | undefined
    }[]

/** What the upstream is told about the caller. */
export interface ForwardInput {
  /** The identity as header fields (`X-Auth-Subject`, …): `true`, `false`, or names of your own, and then only those fields. Default: true. */
  readonly headers?:
    | boolean
    | {
        /** The header field for the subject. */
        readonly subject?: string | undefined
        /** The header field for the issuer. */
        readonly issuer?: string | undefined
        /** The header field for the client. */
        readonly client?: string | undefined
        /** The header field for the scopes. */
        readonly scopes?: string | undefined
        /** The header field for the roles. */
        readonly roles?: string | undefined
        /** The header field for the tenant. */
        readonly tenant?: string | undefined
        /** The header field for the method. */
        readonly method?: string | undefined
      }
    | undefined
  /** The identity as a signed token, `X-Portcullis-Assertion`. Default: true. */
  readonly assertion?: boolean | undefined
  /** What becomes of the credential that was accepted. Default: strip. */
  readonly credential?: 'strip' | 'keep' | undefined
  /** Header fields to set. */
  readonly set?: { readonly [name: string]: string } | undefined
  /** Header fields to remove. */
  readonly remove?: readonly string[] | undefined
  /** Header fields that are kept although the gateway removes them from requests. */
  readonly keep?: readonly string[] | undefined
  /** A token for the upstream, exchanged for the one that came (RFC 8693). */
  readonly tokenExchange?:
    | {
        /** The provider that issues the token. */
        readonly provider: string
        /** The client that the gateway is at the provider. */
        readonly client: {
          /** The client id. */
          readonly id: string
          /** The client secret; a list, newest first, while it is rotated. */
          readonly secret?: string | readonly string[] | undefined
          /** How the gateway proves that it is this client. Default: secret. */
          readonly method?: 'secret' | 'private_key_jwt' | 'mtls' | undefined
          /** PEM file with the private key, for `private_key_jwt` and `mtls`. */
          readonly key?: string | undefined
          /** PEM file with the certificate, for `mtls`; and for `private_key_jwt` where the provider knows the key by it (Entra). */
          readonly certificate?: string | undefined
          /** The `kid` of signed proofs, where the provider holds several keys of the client. */
          readonly keyId?: string | undefined
          /** The `aud` of signed proofs; the issuer, unless the provider wants the address of its token endpoint. */
          readonly proofAudience?: string | undefined
        }
        /** For whom the token is. */
        readonly audience?: string | undefined
        /** What it may do; several scopes are separated by spaces. */
        readonly scope?: string | undefined
      }
    | undefined
  /** A token for the upstream, for the gateway itself. */
  readonly clientCredentials?:
    | {
        /** The provider that issues the token. */
        readonly provider: string
        /** The client that the gateway is at the provider. */
        readonly client: {
          /** The client id. */
          readonly id: string
          /** The client secret; a list, newest first, while it is rotated. */
          readonly secret?: string | readonly string[] | undefined
          /** How the gateway proves that it is this client. Default: secret. */
          readonly method?: 'secret' | 'private_key_jwt' | 'mtls' | undefined
          /** PEM file with the private key, for `private_key_jwt` and `mtls`. */
          readonly key?: string | undefined
          /** PEM file with the certificate, for `mtls`; and for `private_key_jwt` where the provider knows the key by it (Entra). */
          readonly certificate?: string | undefined
          /** The `kid` of signed proofs, where the provider holds several keys of the client. */
          readonly keyId?: string | undefined
          /** The `aud` of signed proofs; the issuer, unless the provider wants the address of its token endpoint. */
          readonly proofAudience?: string | undefined
        }
        /** For whom the token is. */
        readonly audience?: string | undefined
        /** What it may do; several scopes are separated by spaces. */
        readonly scope?: string | undefined
      }
    | undefined
}

export interface ProviderCommon {
  /** Whether the provider's endpoints are read from its metadata. With `false` they are given under `endpoints`. Default: true. */
  readonly discovery?: boolean | undefined
  /** Endpoints given by hand; each wins over a discovered one. They may also stand directly on the provider. */
  readonly endpoints?:
    | {
        /** The key set. */
        readonly jwks?: string | undefined
        /** Where browsers sign in. */
        readonly authorization?: string | undefined
        /** Where tokens are issued. */
        readonly token?: string | undefined
        /** Where tokens are looked up. */
        readonly introspection?: string | undefined
        /** Where tokens are revoked. */
        readonly revocation?: string | undefined
        /** Where browsers sign out. */
        readonly endSession?: string | undefined
      }
    | undefined
  /** The key set. */
  readonly jwks?: string | undefined
  /** Where browsers sign in. */
  readonly authorization?: string | undefined
  /** Where tokens are issued. */
  readonly token?: string | undefined
  /** Where tokens are looked up. */
  readonly introspection?: string | undefined
  /** Where tokens are revoked. */
  readonly revocation?: string | undefined
  /** Where browsers sign out. */
  readonly endSession?: string | undefined
  /** PEM file with the authorities of the provider's certificate. */
  readonly ca?: string | undefined
  /** How far the provider's clock may be off. Default: 30s. */
  readonly clockSkew?: string | undefined
  /** How long known keys serve while the provider is away. Default: 24h. */
  readonly staleKeys?: string | undefined
  /** Which claims say what, where the type does not know it already. */
  readonly claims?:
    | {
        /** Who the caller is. Without it: `sub`. */
        readonly subject?: string | readonly string[] | undefined
        /** Which application. Without it: the first of `client_id`, `azp`, `appid`, `cid`. */
        readonly client?: string | readonly string[] | undefined
        /** Without it: `scope` or `scp`. */
        readonly scopes?: string | readonly string[] | undefined
        /** Without it: `roles`, Keycloak's `realm_access.roles`, Cognito's `cognito:groups`. */
        readonly roles?: string | readonly string[] | undefined
        /** Without it: Entra's `tid`, Auth0's `org_id`, a workload's namespace (Kubernetes) or owner (GitHub). */
        readonly tenant?: string | readonly string[] | undefined
      }
    | undefined
  /** Allows `http://` to a provider that is not on this machine. Default: false. */
  readonly allowInsecure?: boolean | undefined
}

export type ProviderInput = ProviderCommon &
  (
    | {
        /** Any OpenID Connect or OAuth 2 issuer. */
        readonly type: 'oidc'
        /** The issuer, exactly as it stands in `iss`. */
        readonly issuer: string
      }
    | {
        /** Auth0. */
        readonly type: 'auth0'
        /** The tenant, such as example.eu.auth0.com. */
        readonly domain: string
        /** The organizations whose members are taken, by id; a token of none is then refused. */
        readonly organizations?: string | readonly string[] | undefined
      }
    | {
        /** Okta. */
        readonly type: 'okta'
        /** The organisation, such as example.okta.com. */
        readonly domain: string
        /** The id of a custom authorization server, such as `default`. Without it: the organisation's own, whose access tokens can only be looked up. */
        readonly authorizationServer?: string | undefined
      }
    | {
        /** Amazon Cognito. */
        readonly type: 'cognito'
        /** The region, such as eu-central-1. */
        readonly region: string
        /** The user pool, such as eu-central-1_AbCdEfGhI. */
        readonly userPoolId: string
      }
    | {
        /** Microsoft Entra ID. */
        readonly type: 'entra'
        /** The tenant's id; or `organizations`, `common` or `consumers`. */
        readonly tenant: string
        /** With `organizations` or `common`: the tenants that are taken. */
        readonly tenants?: string | readonly string[] | undefined
      }
    | {
        /** Keycloak. */
        readonly type: 'keycloak'
        /** Where Keycloak is served, without `/realms/…`. */
        readonly url: string
        /** The realm. */
        readonly realm: string
        /** A client whose roles (`resource_access`) are added to the realm's. */
        readonly client?: string | undefined
      }
    | {
        /** Google. */
        readonly type: 'google'
        /** The Workspace domains (`hd`) whose accounts are taken. */
        readonly domains?: string | readonly string[] | undefined
      }
    | {
        /** Workflows of GitHub Actions. */
        readonly type: 'github-actions'
        /** Of a server of your own, such as https://github.example.com/_services/token. */
        readonly issuer?: string | undefined
        /** The enterprise's short name, where it has an issuer of its own. */
        readonly enterprise?: string | undefined
        /** The owners whose repositories are taken. */
        readonly owners?: string | readonly string[] | undefined
        /** The same by id, which nobody can take over. */
        readonly ownerIds?: number | string | readonly (number | string)[] | undefined
        /** The repositories that are taken. */
        readonly repositories?: string | readonly string[] | undefined
        /** The same by id, which nobody can take over. */
        readonly repositoryIds?: number | string | readonly (number | string)[] | undefined
        /** The branches and tags that are taken. */
        readonly refs?: string | readonly string[] | undefined
        /** The deployment environments that are taken. */
        readonly environments?: string | readonly string[] | undefined
        /** The workflows (`job_workflow_ref`) that are taken. */
        readonly workflows?: string | readonly string[] | undefined
      }
    | {
        /** A cluster's service accounts. */
        readonly type: 'kubernetes'
        /** The cluster's issuer. Without it: the cluster that the gateway runs in. */
        readonly issuer?: string | undefined
        /** The API server, where it serves the keys. Without it: the issuer, or inside a cluster https://kubernetes.default.svc. */
        readonly server?: string | undefined
        /** File with a token that may read the keys at the API server; inside a cluster the pod's own. */
        readonly tokenFile?: string | undefined
        /** The namespaces whose workloads are taken. */
        readonly namespaces?: string | readonly string[] | undefined
        /** The service accounts that are taken. */
        readonly serviceAccounts?: string | readonly string[] | undefined
        /** The object that tokens must be bound to, so that they end with it. */
        readonly boundTo?: 'pod' | 'node' | 'secret' | undefined
      }
    | {
        /** A SPIFFE trust domain. */
        readonly type: 'spiffe'
        /** The trust domain, such as prod.example.org. */
        readonly trustDomain: string
        /** The trust bundle: the URL of its endpoint (https), or a file. */
        readonly bundle: string
        /** What `iss` must be, where a token has one. Without it: not looked at. */
        readonly issuer?: string | undefined
        /** The SPIFFE IDs that are taken. */
        readonly ids?: string | readonly string[] | undefined
      }
  )

export type AuthenticatorInput =
  | {
      /** Keys that Portcullis issues, or that were imported. */
      readonly type: 'api-key'
      /** Where the credential is read. Default: [{"header":"x-api-key"}]. */
      readonly in?:
        | readonly {
            /** A header field. */
            readonly header?: string | undefined
            /** The scheme in front of the credential, with `header` only. */
            readonly scheme?: string | undefined
            /** A cookie. */
            readonly cookie?: string | undefined
            /** A query parameter. URLs end up in logs and histories: prefer a header. */
            readonly query?: string | undefined
          }[]
        | undefined
      /** What keys begin with. Default: ptc. */
      readonly prefix?: string | undefined
      /** How long a new key lives at most; `none` lets keys live for ever. Default: 90d. */
      readonly maxLifetime?: string | undefined
      /** How long a rotated key goes on working. Default: 24h. */
      readonly grace?: string | undefined
      /** A secret that is mixed into stored digests, so that a stolen store is of no use. */
      readonly pepper?: string | undefined
      /** What becomes of a key that was found in public. `quarantine`: good only from addresses seen in the last 30 days. Default: revoke. */
      readonly onLeak?: 'revoke' | 'quarantine' | 'report' | undefined
    }
  | {
      /** Signed access tokens, verified with the provider's published keys. */
      readonly type: 'jwt'
      /** Where the credential is read. Default: [{"header":"authorization","scheme":"Bearer"}]. */
      readonly in?:
        | readonly {
            /** A header field. */
            readonly header?: string | undefined
            /** The scheme in front of the credential, with `header` only. */
            readonly scheme?: string | undefined
            /** A cookie. */
            readonly cookie?: string | undefined
            /** A query parameter. URLs end up in logs and histories: prefer a header. */
            readonly query?: string | undefined
          }[]
        | undefined
      /** The provider that issues the tokens. */
      readonly provider: string
      /** What `aud` must contain, any one of them; `any` takes tokens meant for other services too. Needed, except for Cognito with `clients`. */
      readonly audience?: string | readonly string[] | undefined
      /** Client ids whose tokens are accepted; all, where absent. */
      readonly clients?: readonly string[] | undefined
      /** Accepted signature algorithms. HS256, HS384 and HS512 go with `secret`, and with no other. Default: ["RS256","PS256","ES256","ES384","EdDSA","Ed25519"]. */
      readonly algorithms?:
        | readonly (
            | 'RS256'
            | 'RS384'
            | 'RS512'
            | 'PS256'
            | 'PS384'
            | 'PS512'
            | 'ES256'
            | 'ES384'
            | 'ES512'
            | 'EdDSA'
            | 'Ed25519'
            | 'HS256'
            | 'HS384'
            | 'HS512'
          )[]
        | undefined
      /** The shared secret of HMAC algorithms, at least 32 bytes. */
      readonly secret?: string | undefined
      /** How `secret` is written. Default: utf8. */
      readonly secretEncoding?: 'utf8' | 'base64' | 'base64url' | 'hex' | undefined
      /** Demands the header `typ: at+jwt` (RFC 9068). */
      readonly requireType?: 'at+jwt' | undefined
      /** Takes ID tokens, which are otherwise refused: they are no access tokens. */
      readonly accept?: 'id-token' | undefined
      /** The longest accepted time from `iat` to `exp`. */
      readonly maxLifetime?: string | undefined
      /** Claims that must be there. */
      readonly requiredClaims?: readonly string[] | undefined
      /** Whether tokens must be bound to a key that the caller proves to hold. A bound token is always held to it. Default: none. */
      readonly binding?: 'none' | 'optional' | 'required' | 'dpop' | 'mtls' | undefined
      /** Proof of possession (RFC 9449). */
      readonly dpop?:
        | {
            /** Whether proofs must carry a nonce of the gateway. Default: false. */
            readonly nonce?: boolean | undefined
            /** How old a proof may be. Default: 60s. */
            readonly window?: string | undefined
          }
        | undefined
      /** Protected-resource metadata (RFC 9728). */
      readonly resource?:
        | {
            /** The identifier of the resource; also an accepted audience. */
            readonly id: string
            /** The scopes to publish; those that the routes enforce, where absent. */
            readonly scopes?: readonly string[] | undefined
            /** A page for developers. */
            readonly documentation?: string | undefined
          }
        | undefined
    }
  | {
      /** Opaque tokens, looked up at the provider (RFC 7662). */
      readonly type: 'introspection'
      /** Where the credential is read. Default: [{"header":"authorization","scheme":"Bearer"}]. */
      readonly in?:
        | readonly {
            /** A header field. */
            readonly header?: string | undefined
            /** The scheme in front of the credential, with `header` only. */
            readonly scheme?: string | undefined
            /** A cookie. */
            readonly cookie?: string | undefined
            /** A query parameter. URLs end up in logs and histories: prefer a header. */
            readonly query?: string | undefined
          }[]
        | undefined
      /** The provider that issues the tokens. */
      readonly provider: string
      /** What `aud` of the answer must contain, any one of them; `any` takes tokens meant for other services too. Needed, unless `resource` names one. */
      readonly audience?: string | readonly string[] | undefined
      /** The client that the gateway is at the provider. */
      readonly client: {
        /** The client id. */
        readonly id: string
        /** The client secret; a list, newest first, while it is rotated. */
        readonly secret?: string | readonly string[] | undefined
        /** How the gateway proves that it is this client. Default: secret. */
        readonly method?: 'secret' | 'private_key_jwt' | 'mtls' | undefined
        /** PEM file with the private key, for `private_key_jwt` and `mtls`. */
        readonly key?: string | undefined
        /** PEM file with the certificate, for `mtls`; and for `private_key_jwt` where the provider knows the key by it (Entra). */
        readonly certificate?: string | undefined
        /** The `kid` of signed proofs, where the provider holds several keys of the client. */
        readonly keyId?: string | undefined
        /** The `aud` of signed proofs; the issuer, unless the provider wants the address of its token endpoint. */
        readonly proofAudience?: string | undefined
      }
      /** How long an answer is remembered, and never past the end of the token. Default: 30s. */
      readonly cacheFor?: string | undefined
      /** What happens to a token that is known while the provider is away. Default: refuse. */
      readonly onUnavailable?: 'refuse' | 'stale' | undefined
      /** How long after `cacheFor` an old answer serves, with `onUnavailable: stale`; 5m, where absent. */
      readonly staleFor?: string | undefined
      /** Whether the provider must sign its answers (RFC 9701). A signed one is verified in any case. Default: accepted. */
      readonly signedAnswers?: 'accepted' | 'required' | undefined
      /** The longest accepted time from `iat` to `exp`. */
      readonly maxLifetime?: string | undefined
      /** Whether tokens must be bound to a key that the caller proves to hold. A bound token is always held to it. Default: none. */
      readonly binding?: 'none' | 'optional' | 'required' | 'dpop' | 'mtls' | undefined
      /** Proof of possession (RFC 9449). */
      readonly dpop?:
        | {
            /** Whether proofs must carry a nonce of the gateway. Default: false. */
            readonly nonce?: boolean | undefined
            /** How old a proof may be. Default: 60s. */
            readonly window?: string | undefined
          }
        | undefined
      /** Protected-resource metadata (RFC 9728). */
      readonly resource?:
        | {
            /** The identifier of the resource; also an accepted audience. */
            readonly id: string
            /** The scopes to publish; those that the routes enforce, where absent. */
            readonly scopes?: readonly string[] | undefined
            /** A page for developers. */
            readonly documentation?: string | undefined
          }
        | undefined
    }
  | {
      /** Signed requests (RFC 9421). */
      readonly type: 'http-signature'
      /** The keys of callers. */
      readonly keys: readonly {
        /** The key id, which the caller names as `keyid`; also the client of the identity. */
        readonly id: string
        /** The one algorithm that this key signs with. */
        readonly algorithm:
          | 'rsa-pss-sha512'
          | 'rsa-v1_5-sha256'
          | 'ecdsa-p256-sha256'
          | 'ecdsa-p384-sha384'
          | 'ed25519'
          | 'hmac-sha256'
        /** The public key or certificate (PEM), best given as `${file:PATH}`; for `hmac-sha256` the shared secret, at least 32 bytes. */
        readonly key: string
        /** Whom it identifies: the subject. */
        readonly owner: string
        /** What it may do. */
        readonly scopes?: readonly string[] | undefined
        /** The roles of the owner. */
        readonly roles?: readonly string[] | undefined
        /** The tenant of the owner. */
        readonly tenant?: string | undefined
      }[]
      /** What every signature must cover. With a body it must cover `content-digest` too, listed or not. Default: ["@method","@target-uri"]. */
      readonly components?: readonly string[] | undefined
      /** How old a signature may be. Default: 60s. */
      readonly maxAge?: string | undefined
      /** Only signatures with this `tag` count; any, where absent. Others stay unread. */
      readonly tag?: string | undefined
    }
  | {
      /** API keys as Basic credentials (RFC 7617): the key's id and the whole key. Each setting is that of the api-key authenticator unless it is written here. */
      readonly type: 'basic'
      /** What keys begin with. */
      readonly prefix?: string | undefined
      /** How long a new key lives at most; `none` lets keys live for ever. */
      readonly maxLifetime?: string | undefined
      /** How long a rotated key goes on working. */
      readonly grace?: string | undefined
      /** A secret that is mixed into stored digests, so that a stolen store is of no use. */
      readonly pepper?: string | undefined
      /** What becomes of a key that was found in public. `quarantine`: good only from addresses seen in the last 30 days. */
      readonly onLeak?: 'revoke' | 'quarantine' | 'report' | undefined
    }
  | {
      /** Browsers that sign in with OpenID Connect. */
      readonly type: 'session'
      /** The provider to sign in at. */
      readonly provider?: string | undefined
      /** Several providers to choose from, in the order in which they are offered. */
      readonly providers?: readonly string[] | undefined
      /** The client that the gateway is at the provider. */
      readonly client?:
        | {
            /** The client id. */
            readonly id: string
            /** The client secret; a list, newest first, while it is rotated. */
            readonly secret?: string | readonly string[] | undefined
            /** How the gateway proves that it is this client. Default: secret. */
            readonly method?: 'secret' | 'private_key_jwt' | 'mtls' | undefined
            /** PEM file with the private key, for `private_key_jwt` and `mtls`. */
            readonly key?: string | undefined
            /** PEM file with the certificate, for `mtls`; and for `private_key_jwt` where the provider knows the key by it (Entra). */
            readonly certificate?: string | undefined
            /** The `kid` of signed proofs, where the provider holds several keys of the client. */
            readonly keyId?: string | undefined
            /** The `aud` of signed proofs; the issuer, unless the provider wants the address of its token endpoint. */
            readonly proofAudience?: string | undefined
          }
        | undefined
      /** The client at each provider, by its name, where they differ. */
      readonly clients?:
        | {
            readonly [name: string]: {
              /** The client id. */
              readonly id: string
              /** The client secret; a list, newest first, while it is rotated. */
              readonly secret?: string | readonly string[] | undefined
              /** How the gateway proves that it is this client. Default: secret. */
              readonly method?: 'secret' | 'private_key_jwt' | 'mtls' | undefined
              /** PEM file with the private key, for `private_key_jwt` and `mtls`. */
              readonly key?: string | undefined
              /** PEM file with the certificate, for `mtls`; and for `private_key_jwt` where the provider knows the key by it (Entra). */
              readonly certificate?: string | undefined
              /** The `kid` of signed proofs, where the provider holds several keys of the client. */
              readonly keyId?: string | undefined
              /** The `aud` of signed proofs; the issuer, unless the provider wants the address of its token endpoint. */
              readonly proofAudience?: string | undefined
            }
          }
        | undefined
      /** What adds to the claims of the ID token. */
      readonly claimsFrom?: 'userinfo' | 'access-token' | undefined
      /** How long a session lives unused. Default: 30m. */
      readonly idle?: string | undefined
      /** How long a session lives at most. Default: 12h. */
      readonly absolute?: string | undefined
      /** The scopes to ask for, beside `openid`. Without it: `profile`, `email` and what the routes of this authenticator require, as far as the provider lists them. */
      readonly scopes?: readonly string[] | undefined
      /** More parameters of the authorization request, such as `audience`. */
      readonly parameters?: { readonly [name: string]: string } | undefined
      /** How one of several providers is chosen; a page asks where nothing here decides. */
      readonly choose?:
        | {
            /** The provider for each host. */
            readonly hosts?: { readonly [name: string]: string } | undefined
            /** The provider for each domain of the users' e-mail addresses. */
            readonly emailDomains?: { readonly [name: string]: string } | undefined
            /** What the page that asks calls each provider. */
            readonly labels?: { readonly [name: string]: string } | undefined
          }
        | undefined
    }
  | {
      /** Client certificates. */
      readonly type: 'mtls'
      /** PEM file with the authorities that certificates must come from (or a SPIFFE trust bundle), or a list of files. Read again whenever it changes. */
      readonly authorities: string | readonly string[]
      /** What of the certificate names the caller. There must be exactly one such name. Default: san-uri. */
      readonly subject?: 'san-uri' | 'san-dns' | 'san-email' | 'cn' | 'fingerprint' | undefined
      /** Patterns, one of which the subject must match. `*` stands for one segment of a URI, one label of a host or one local part; at the end of a URI for all that follows. */
      readonly allow?: readonly string[] | undefined
      /** File with certificate revocation lists (PEM or DER), or a list of files. With it every certificate of the chain needs a current list. Read again whenever it changes. */
      readonly revocation?: string | readonly string[] | undefined
      /** Who needs a revocation list: every certificate of the chain, or only the client’s own. Default: chain. */
      readonly revocationOf?: 'chain' | 'leaf' | undefined
      /** Ask an OCSP responder whether the certificate is revoked. Off where absent. */
      readonly ocsp?:
        | {
            /** The responder to ask; where absent, the one that the certificate names. */
            readonly url?: string | undefined
            /** Whether a responder that cannot be reached, or knows nothing, is a refusal (503). Default: true. */
            readonly required?: boolean | undefined
            /** How long an answer may take. Default: 2s. */
            readonly timeout?: string | undefined
          }
        | undefined
      /** A certificate that a proxy in front hands over; it is checked all the same. */
      readonly from?:
        | {
            /** The header: `client-cert` (RFC 9440) or `xfcc` (`X-Forwarded-Client-Cert`). */
            readonly header: 'client-cert' | 'xfcc'
            /** The proxies that are believed. From them, only the header counts. */
            readonly peers: readonly string[]
          }
        | undefined
    }

export interface UpstreamInput {
  /** Where the service is: URLs, or `{ url, weight }`. Names are resolved again by their TTL. */
  readonly targets: readonly (
    | string
    | {
        /** Scheme, host and port. */
        readonly url: string
        /** Its share of the requests, relative to the others. Default: 1. */
        readonly weight?: number | undefined
      }
  )[]
  /** How it is spoken to. Default: http1. */
  readonly protocol?: 'http1' | 'h2' | 'h2c' | undefined
  /** Which target takes a request. Default: round-robin. */
  readonly balance?: 'round-robin' | 'least-requests' | 'hash' | undefined
  /** With `balance: hash`: what stays on one target. */
  readonly hashOn?: string | undefined
  /** How long the service may take. */
  readonly timeouts?:
    | {
        /** How long a connection may take. Default: 2s. */
        readonly connect?: string | undefined
        /** How long the head of the answer may take. Default: 30s. */
        readonly response?: string | undefined
      }
    | undefined
  /** What happens after a failure. */
  readonly retries?:
    | {
        /** Extra tries. Only idempotent methods, failed connections and 502, 503, 504, and never once a body was sent. Default: 1. */
        readonly attempts?: number | undefined
      }
    | undefined
  /** Active health checks; none unless written. */
  readonly health?:
    | {
        /** What is asked for. */
        readonly path: string
        /** How often. Default: 5s. */
        readonly interval?: string | undefined
        /** How long an answer may take. Default: 2s. */
        readonly timeout?: string | undefined
        /** How many good answers in a row bring a target back. Default: 1. */
        readonly healthy?: number | undefined
        /** How many bad ones take it out. Default: 3. */
        readonly unhealthy?: number | undefined
        /** Which answers are good. Default: 200-399. */
        readonly status?: string | number | readonly (string | number)[] | undefined
      }
    | undefined
  /** TLS towards `https://` targets. Certificates are always verified. */
  readonly tls?:
    | {
        /** PEM file with the authorities of the service's certificate; the system's, where absent. */
        readonly ca?: string | undefined
        /** PEM file with the certificate that the gateway shows. */
        readonly certificate?: string | undefined
        /** PEM file with its private key. */
        readonly key?: string | undefined
        /** The name that the service's certificate must be for. */
        readonly serverName?: string | undefined
      }
    | undefined
}

/** The configuration of Portcullis. */
export interface ConfigurationInput {
  /** The version of this format. */
  readonly version: 1
  /** The origin under which clients reach the gateway, or a list for several hosts. Also the issuer of assertions. */
  readonly publicUrl?: string | readonly string[] | undefined
  /** Where the gateway listens. Default: [{"address":"127.0.0.1:8080"}]. */
  readonly listeners?:
    | readonly {
        /** Where to listen. */
        readonly address: string
        /** The public origin of this listener, or a list, where it differs from the top-level `publicUrl`. */
        readonly publicUrl?: string | readonly string[] | undefined
        /** TLS on this listener. Without it the listener speaks plain HTTP. */
        readonly tls?:
          | {
              /** PEM file with the certificate and its chain. Watched: a renewed file is taken without a restart. */
              readonly certificate: string
              /** PEM file with the private key. */
              readonly key: string
              /** DER file with an OCSP answer about the certificate, sent along to clients that ask while it holds (stapling). The issuer must stand in the file of the certificate. Watched, like the certificate. */
              readonly ocsp?: string | undefined
              /** More certificates, chosen by the name that the client asks for (SNI). */
              readonly also?:
                | readonly {
                    /** The host names (SNI) that this certificate is for; `*.` stands for one label. */
                    readonly names: readonly string[]
                    /** PEM file with the certificate and its chain. Watched: a renewed file is taken without a restart. */
                    readonly certificate: string
                    /** PEM file with the private key. */
                    readonly key: string
                    /** DER file with an OCSP answer about the certificate, sent along to clients that ask while it holds (stapling). The issuer must stand in the file of the certificate. Watched, like the certificate. */
                    readonly ocsp?: string | undefined
                  }[]
                | undefined
              /** Client certificates on this listener. */
              readonly clientCertificates?:
                | {
                    /** Whether clients are asked for a certificate. Default: none. */
                    readonly mode?: 'none' | 'request' | 'require' | undefined
                    /** PEM file with the authorities that client certificates must come from, or a list of files. Without it any certificate counts as proof that its key is held, also a self-signed one. Read again whenever it changes. */
                    readonly authorities?: string | readonly string[] | undefined
                    /** File with certificate revocation lists (PEM or DER), or a list of files. Every certificate of a chain needs a current list then. Read again whenever it changes. */
                    readonly revocation?: string | readonly string[] | undefined
                  }
                | undefined
            }
          | undefined
        /** `true`: each connection must begin with a PROXY header (version 1 or 2), and only `trustedProxies` may connect; others are closed unanswered. The address that the header names is the client then. Default: false. */
        readonly proxyProtocol?: boolean | undefined
        /** What becomes of `%2F` in a path: refused, or kept as it is (neither decoded nor a separator). Default: refuse. */
        readonly encodedSlashes?: 'refuse' | 'keep' | undefined
        /** What becomes of `;` in a path. Default: refuse. */
        readonly pathParameters?: 'refuse' | 'keep' | undefined
        /** HTTP/2 without TLS. Default: false. */
        readonly h2c?: boolean | undefined
      }[]
    | undefined
  /** What a request may weigh, and how long it may take to arrive. */
  readonly limits?:
    | {
        /** The whole head of a request: target and header fields. Default: 16KiB. */
        readonly headers?: string | undefined
        /** How many header fields a request may have. Default: 100. */
        readonly headerCount?: number | undefined
        /** The body of a request. A route may have its own. Default: 10MiB. */
        readonly body?: string | undefined
        /** How long the head of a request may take to arrive. Default: 10s. */
        readonly headersTimeout?: string | undefined
        /** How long head and body of a request may take to arrive. Upgrades and gRPC are exempt. Default: 60s. */
        readonly requestTimeout?: string | undefined
        /** How long a connection may stay without a byte. Default: 75s. */
        readonly idleTimeout?: string | undefined
      }
    | undefined
  /** What happens to an address that guesses credentials; `off` to leave it alone. */
  readonly lockout?:
    | 'off'
    | {
        /** How many failed credentials from one address start a lockout. Default: 20/1m. */
        readonly failures?: string | undefined
        /** How long it lasts. Default: 5m. */
        readonly for?: string | undefined
      }
    | undefined
  /** What carries HTTP/1.1: `wire` is our own, `node` is node:http and undici. Default: wire. */
  readonly dataPlane?: 'wire' | 'node' | undefined
  /** How many workers share the load. Default: 1. */
  readonly workers?: number | 'auto' | undefined
  /** How long connections are still accepted after SIGTERM, for load balancers to notice. Default: 0s. */
  readonly drainDelay?: string | undefined
  /** How long requests under way are waited for after SIGTERM. Default: 30s. */
  readonly drainTimeout?: string | undefined
  /** Whose forwarding headers are believed for address, scheme and host. Nobody's by default. */
  readonly trustedProxies?: readonly string[] | undefined
  /** Which family of forwarding headers is believed. Both are written anew for upstreams. Default: x-forwarded. */
  readonly forwarded?: 'x-forwarded' | 'rfc7239' | undefined
  /** Answers for other proxies: `/.portcullis/forward-auth`. */
  readonly forwardAuth?:
    | {
        /** The proxies that may ask. */
        readonly peers: readonly string[]
      }
    | undefined
  /** Answers for Envoy: ext_authz. */
  readonly extAuthz?:
    | {
        /** Where Envoy's ext_authz v3 is served over gRPC. */
        readonly address: string
        /** The proxies that may ask. */
        readonly peers: readonly string[]
      }
    | undefined
  /** Health, metrics and the admin API. */
  readonly admin?:
    | {
        /** Where health, metrics and the admin API are served. Default: 127.0.0.1:9901. */
        readonly address?: string | undefined
        /** The bearer token of the admin API. Without it, or off loopback without TLS, health and metrics are served and nothing else. */
        readonly token?: string | undefined
        /** TLS on the admin address. */
        readonly tls?:
          | {
              /** PEM file with the certificate and its chain. Watched: a renewed file is taken without a restart. */
              readonly certificate: string
              /** PEM file with the private key. */
              readonly key: string
            }
          | undefined
        /** Sign-in for administrators. */
        readonly oidc?:
          | {
              /** The provider at which administrators sign in. */
              readonly provider: string
              /** The client registered there. */
              readonly client: {
                /** The client id. */
                readonly id: string
                /** Its secret. */
                readonly secret?: string | undefined
              }
              /** Roles that may administer. */
              readonly roles: readonly string[]
            }
          | undefined
      }
    | undefined
  /** What must not be lost. */
  readonly store?:
    | {
        /** Where keys, revocations and sessions live. The SQLite file is made on the first start. Default: sqlite:./portcullis.db. */
        readonly url?: string | undefined
      }
    | undefined
  /** What replicas share. */
  readonly shared?:
    | {
        /** What replicas share: counters, replay cache, change notices. `memory:` is one memory over all workers. Default: memory:. */
        readonly url?: string | undefined
        /** Where browser sessions live. Default: store. */
        readonly sessions?: 'store' | 'shared' | undefined
      }
    | undefined
  /** What happens while a store is away: `refuse` (503), `local` or `allow`. */
  readonly outage?:
    | {
        /** While the store of revocations is away. */
        readonly revocations?:
          | {
              /** How old the known revocations may be while their store is away. Default: 60s. */
              readonly maxStale?: string | undefined
              /** What happens beyond it: `refuse` answers 503, `allow` goes on without news. Default: refuse. */
              readonly then?: 'refuse' | 'allow' | undefined
            }
          | undefined
        /** While the store of sessions is away. Default: refuse. */
        readonly sessions?: 'refuse' | 'local' | 'allow' | undefined
        /** While the replay cache is away. Default: refuse. */
        readonly replay?: 'refuse' | 'local' | 'allow' | undefined
        /** While shared counters are away: `local` counts this replica's share. Default: local. */
        readonly counters?: 'refuse' | 'local' | 'allow' | undefined
      }
    | undefined
  /** The audit log; `off` for none. */
  readonly audit?:
    | 'off'
    | {
        /** `relaxed`: written in batches within 100 ms. `strict`: no request passes before its event is on disk. Default: relaxed. */
        readonly mode?: 'relaxed' | 'strict' | undefined
        /** The folder of the log. Default: ./audit. */
        readonly directory?: string | undefined
        /** The Ed25519 private key (PEM) that signs checkpoints. Made on the first start. Default: ./audit.key. */
        readonly key?: string | undefined
        /** Keep an index beside the log, so that searching it is quick. Default: true. */
        readonly index?: boolean | undefined
        /** What is kept; older segments are dropped whole, and that is recorded. */
        readonly retain?:
          | {
              /** How large the log may grow. Default: 10GiB. */
              readonly size?: string | undefined
              /** How old its events may become. Default: 400d. */
              readonly age?: string | undefined
            }
          | undefined
        /** Where events go besides. */
        readonly sinks?:
          | readonly (
              | 'stdout'
              | 'syslog'
              | 'otlp'
              | {
                  /** A syslog server. */
                  readonly type: 'syslog'
                  /** Where the syslog server listens. */
                  readonly address?: string | undefined
                  /** How it is spoken to. */
                  readonly protocol?: 'udp' | 'tcp' | 'tls' | undefined
                }
              | {
                  /** An OpenTelemetry collector. */
                  readonly type: 'otlp'
                  /** Where the collector listens. */
                  readonly url?: string | undefined
                }
            )[]
          | undefined
      }
    | undefined
  /** The signed token in which an upstream is told who calls. */
  readonly assertion?:
    | {
        /** How long an assertion is good; never longer than the credential. Default: 60s. */
        readonly lifetime?: string | undefined
        /** How often the signing key changes. Default: 30d. */
        readonly rotateEvery?: string | undefined
        /** A new assertion for every request, with `jti` and the request id (`rid`). Default: false. */
        readonly perRequest?: boolean | undefined
      }
    | undefined
  /** Who may report keys that were found in public. */
  readonly leaks?:
    | {
        /** GitHub's secret scanning partner programme: reports come to `/.portcullis/leaks/github`. */
        readonly github?:
          | {
              /** The keys that GitHub signs its reports with: https://api.github.com/meta/public_keys/secret_scanning */
              readonly keys: readonly {
                /** What GitHub calls `key_identifier`. */
                readonly id: string
                /** The public key (ECDSA, P-256): a PEM file, or its text. */
                readonly key: string
              }[]
            }
          | undefined
      }
    | undefined
  /** Identity providers, by name. */
  readonly providers?: { readonly [name: string]: ProviderInput } | undefined
  /** Ways to prove who is calling, by name. */
  readonly authenticators?: { readonly [name: string]: AuthenticatorInput } | undefined
  /** The services behind the gateway, by name. */
  readonly upstreams?: { readonly [name: string]: UpstreamInput } | undefined
  /** Taken by every route that does not name the key itself. */
  readonly defaults?:
    | {
        readonly authenticate?: AuthenticateInput | undefined
        readonly authorize?: AuthorizeInput | undefined
        readonly rateLimit?: RateLimitInput | undefined
        readonly forward?: ForwardInput | undefined
      }
    | undefined
  /** What may be called, and by whom. */
  readonly routes: readonly {
    /** The name of the route, in audit events and metrics. */
    readonly id: string
    /** Which requests are meant. The most specific host and path decide. */
    readonly match: {
      /** The path. `:name` is one segment; a last `*` is everything below. `/*` is every path. */
      readonly path: string
      /** The methods; all, where absent. GET does not imply HEAD. */
      readonly methods?: readonly string[] | undefined
      /** The host; `*.example.com` stands for one label. Any, where absent. */
      readonly host?: string | undefined
      /** Header fields that must be there once with exactly this value. */
      readonly headers?: { readonly [name: string]: string } | undefined
      /** Query parameters that must be there once with exactly this value. */
      readonly query?: { readonly [name: string]: string } | undefined
    }
    readonly authenticate?: AuthenticateInput | undefined
    readonly authorize?: AuthorizeInput | undefined
    readonly rateLimit?: RateLimitInput | undefined
    /** Limits of this route, where they differ from the top-level ones. */
    readonly limits?:
      | {
          /** The body of a request. */
          readonly body?: string | undefined
          /** How long head and body of a request may take to arrive. */
          readonly requestTimeout?: string | undefined
        }
      | undefined
    /** How the request changes on its way. */
    readonly rewrite?:
      | {
          /** Taken off the path, whole segments. */
          readonly stripPrefix?: string | undefined
          /** Put in front of the path. */
          readonly addPrefix?: string | undefined
          /** The Host that the upstream sees: `preserve`, or a name. Without it, the target's own. */
          readonly host?: string | undefined
        }
      | undefined
    /** Which pages of other origins may call from a browser. */
    readonly cors?:
      | {
          /** Which pages may call, as the browser writes them in `Origin`; '*' for all. */
          readonly origins: readonly string[]
          /** Whether they may send cookies and the like. Default: false. */
          readonly credentials?: boolean | undefined
          /** Which header fields they may send. */
          readonly headers?: readonly string[] | undefined
          /** Which header fields of the answer they may read, besides the gateway's own. */
          readonly expose?: readonly string[] | undefined
          /** How long browsers remember the answer. Default: 10m. */
          readonly maxAge?: string | undefined
        }
      | undefined
    readonly forward?: ForwardInput | undefined
    /** How the answer changes on its way back. */
    readonly response?:
      | {
          /** Changes to header fields. */
          readonly headers?:
            | {
                /** Header fields to set, replacing what the upstream sent. */
                readonly set?: { readonly [name: string]: string } | undefined
                /** Header fields to remove. */
                readonly remove?: readonly string[] | undefined
              }
            | undefined
        }
      | undefined
    /** A policy on trial: decided beside the enforced keys, and only recorded. */
    readonly report?:
      | {
          readonly authenticate?: AuthenticateInput | undefined
          readonly authorize?: AuthorizeInput | undefined
          readonly rateLimit?: RateLimitInput | undefined
        }
      | undefined
    /** The upstream that answers. */
    readonly upstream: string
  }[]
}
