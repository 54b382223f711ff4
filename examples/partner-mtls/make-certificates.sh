#!/bin/sh
# Makes what this example needs, with OpenSSL: a partner's authorities, two programs, a revocation list, a server.
# Usage: make-certificates.sh [FOLDER]     (default: ./tls beside this script)
#        make-certificates.sh [FOLDER] revoke NAME
set -eu

folder=${1:-$(dirname "$0")/tls}
mkdir -p "$folder"
cd "$folder"
umask 077

config=ca.cnf
cat > "$config" <<'END'
[ca]
default_ca = issuing
[issuing]
database = index.txt
serial = serial
crlnumber = crlnumber
new_certs_dir = .
default_md = sha256
default_crl_days = 30
policy = policy
unique_subject = no
crl_extensions = crl_ext
[root]
database = root-index.txt
crlnumber = root-crlnumber
default_md = sha256
default_crl_days = 365
crl_extensions = crl_ext
[policy]
commonName = supplied
[crl_ext]
authorityKeyIdentifier = keyid
[req]
distinguished_name = dn
[dn]
[authority]
basicConstraints = critical, CA:true
keyUsage = critical, keyCertSign, cRLSign
subjectKeyIdentifier = hash
authorityKeyIdentifier = keyid
[intermediate]
basicConstraints = critical, CA:true, pathlen:0
keyUsage = critical, keyCertSign, cRLSign
subjectKeyIdentifier = hash
authorityKeyIdentifier = keyid
nameConstraints = critical, permitted;URI:partner.example
[program]
basicConstraints = critical, CA:false
keyUsage = critical, digitalSignature
extendedKeyUsage = clientAuth
subjectKeyIdentifier = hash
authorityKeyIdentifier = keyid
subjectAltName = ${ENV::SAN}
[server]
basicConstraints = critical, CA:false
keyUsage = critical, digitalSignature
extendedKeyUsage = serverAuth
subjectAltName = DNS:localhost, IP:127.0.0.1
END
export SAN=URI:spiffe://partner.example/none

key() { openssl genpkey -quiet -algorithm EC -pkeyopt ec_paramgen_curve:P-256 -out "$1" 2> /dev/null ||
  openssl genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-256 -out "$1" 2> /dev/null; }
request() { openssl req -new -config "$config" -key "$1.key" -subj "/CN=$1" -out "$1.csr"; }

lists() {
  openssl ca -config "$config" -name root -gencrl -cert root.pem -keyfile root.key -out root.crl 2> /dev/null
  openssl ca -config "$config" -gencrl -cert issuing.pem -keyfile issuing.key -out issuing.crl 2> /dev/null
  cat root.crl issuing.crl > partner.crl.new
  # Renamed into place: nobody reads half a list.
  mv partner.crl.new partner.crl
}

if [ "${2:-}" = revoke ]; then
  openssl ca -config "$config" -revoke "$3.crt" -cert issuing.pem -keyfile issuing.key 2> /dev/null
  lists
  echo "revoked: $3"
  exit 0
fi

: > index.txt
: > root-index.txt
echo 1000 > serial
echo 01 > crlnumber
echo 01 > root-crlnumber

# The partner's root stays off line; what it signed signs the programs.
key root.key
openssl req -new -x509 -config "$config" -extensions authority -key root.key -subj '/CN=Partner root' -days 3650 -out root.pem
key issuing.key
request issuing
openssl x509 -req -in issuing.csr -CA root.pem -CAkey root.key -set_serial 2 -days 1825 \
  -extfile "$config" -extensions intermediate -out issuing.pem 2> /dev/null
cat root.pem > partner-ca.pem

for program in billing reports; do
  key "$program.key"
  request "$program"
  SAN=URI:spiffe://partner.example/$program openssl ca -batch -notext -config "$config" -extensions program \
    -cert issuing.pem -keyfile issuing.key -days 90 -in "$program.csr" -out "$program.crt" 2> /dev/null
  # What a client sends: its own certificate, then the one that signed it.
  cat "$program.crt" issuing.pem > "$program.pem"
done

key server.key
request server
openssl x509 -req -in server.csr -signkey server.key -days 365 -extfile "$config" -extensions server -out server.pem 2> /dev/null
lists
rm -f ./*.csr
echo "made: $(pwd)"
