// nginx with the Lua module and an HS256 check written by hand: what an engine such as Kong's or APISIX's does at least.
import { existsSync } from 'node:fs'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { audience, issuer, scope } from '../credentials.ts'
import { keptUpstream, proxied, startNginx } from './nginx.ts'
import { Unavailable } from './target.ts'
import type { RunningTarget, Stage } from './target.ts'

const modules = ['/usr/lib/nginx/modules/ndk_http_module.so', '/usr/lib/nginx/modules/ngx_http_lua_module.so']
const jsonLibrary = '/usr/lib/x86_64-linux-gnu/lua/5.1/cjson.so'

/**
 * Starts it on the gateway's core.
 *
 * @throws {Unavailable} where Debian's packages for it are not installed
 */
export async function startNginxLua(stage: Stage, name: string): Promise<RunningTarget> {
  const missing = [...modules, jsonLibrary].filter((file) => !existsSync(file))
  if (missing.length > 0) {
    throw new Unavailable(
      `there is no ${missing.join(', ')}. On Debian, as root: apt-get install libnginx-mod-http-lua lua-cjson`,
    )
  }
  const script = join(stage.folder, 'verify.lua')
  await writeFile(script, verifier(stage.issuer.hmacSecret), { mode: 0o600 })
  return startNginx(stage, name, stage.gatewayCore, (port) => ({
    main: modules.map((module) => `load_module ${module};`).join(' '),
    http: `${keptUpstream(stage)}
  lua_package_path "${stage.folder}/?.lua;/usr/share/lua/5.1/?.lua;;";
  lua_package_cpath "${jsonLibrary.replace('cjson.so', '?.so')};;";
  init_by_lua_block { require("resty.core"); require("verify") }`,
    server: `listen 127.0.0.1:${port} backlog=4096;
      location / {
        access_by_lua_block { require("verify").check() }
        ${proxied}
      }`,
  }))
}

/** HMAC by OpenSSL through LuaJIT's foreign functions, as lua-resty-openssl has it; no cache, as in Kong's own plugin. */
function verifier(secret: string): string {
  return `
local ffi = require("ffi")
local json = require("cjson.safe")
local base64 = require("ngx.base64")
ffi.cdef[[
typedef struct evp_md_st EVP_MD;
const EVP_MD *EVP_sha256(void);
unsigned char *HMAC(const EVP_MD *evp_md, const void *key, int key_len, const unsigned char *d, size_t n, unsigned char *md, unsigned int *md_len);
int CRYPTO_memcmp(const void *a, const void *b, size_t len);
]]
local C = ffi.C
local sha256 = C.EVP_sha256()
local digest = ffi.new("unsigned char[32]")
local secret = "${secret}"
local M = {}

local function claims_of(authorization)
  if type(authorization) ~= "string" then return nil end
  local head, body, signature = authorization:match("^Bearer ([%w_-]+)%.([%w_-]+)%.([%w_-]+)$")
  if not head then return nil end
  local header = json.decode(base64.decode_base64url(head) or "")
  if type(header) ~= "table" or header.alg ~= "HS256" then return nil end
  local found = base64.decode_base64url(signature)
  if not found or #found ~= 32 then return nil end
  local input = head .. "." .. body
  if C.HMAC(sha256, secret, #secret, input, #input, digest, nil) == nil then return nil end
  if C.CRYPTO_memcmp(found, digest, 32) ~= 0 then return nil end
  local claims = json.decode(base64.decode_base64url(body) or "")
  if type(claims) ~= "table" then return nil end
  if claims.iss ~= "${issuer}" or claims.aud ~= "${audience}" then return nil end
  if type(claims.exp) ~= "number" or claims.exp <= ngx.time() then return nil end
  return claims
end

function M.check()
  local claims = claims_of(ngx.var.http_authorization)
  if not claims then return ngx.exit(401) end
  if not (" " .. tostring(claims.scope) .. " "):find(" ${scope} ", 1, true) then return ngx.exit(403) end
  ngx.req.set_header("X-Auth-Subject", claims.sub)
  ngx.req.set_header("X-Auth-Scopes", claims.scope)
  ngx.req.clear_header("Authorization")
end

return M
`
}
