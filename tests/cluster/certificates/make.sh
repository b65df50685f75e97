# shellcheck shell=bash
# The commands of the recipes in kinds.rs. Each makes certificates with openssl in the current folder. $KEYS is the folder of
# the keys.

printf '[req]\ndistinguished_name=dn\n[dn]\n' >req.cnf
# Extensions of most certificates of authorities and servers; | ends a line.
AUTHORITY='basicConstraints=critical,CA:TRUE|keyUsage=critical,keyCertSign,cRLSign|subjectKeyIdentifier=hash'
SERVER='subjectAltName=IP:127.0.0.1|extendedKeyUsage=serverAuth'

# key ROLE ALGORITHM: prints the path of a key, $KEYS/ALGORITHM-ROLE, and makes the key if it is missing.
key() {
  local file=$KEYS/$2-$1
  if [ ! -e "$file" ]; then
    case $2 in
    rsa-pss) openssl genpkey -quiet -algorithm RSA-PSS -pkeyopt rsa_keygen_bits:2048 -out "$file" ;;
    rsa*) openssl genrsa -out "$file" "${2#rsa}" ;;
    ed25519) openssl genpkey -algorithm ed25519 -out "$file" ;;
    *) openssl ecparam -name "$2" -genkey -noout -out "$file" ;;
    esac
  fi
  echo "$file"
}

# certificate NAME SIGNER ALGORITHM EXTENSIONS [OPTION…]: makes NAME.crt and NAME.key, signed by SIGNER.crt or by itself.
# Without extensions it has version 1.
certificate() {
  local name=$1 signer=$2 algorithm=$3 extensions=$4 role=leaf
  shift 4
  # The signer needs another key than the signed certificate.
  case $name in authority) role=authority ;; middle) role=middle ;; other) role=other ;; esac
  cp "$(key "$role" "$algorithm")" "$name.key"
  openssl req -new -key "$name.key" -subj "${SUBJECT:-/CN=$name}" -config req.cnf -out "$name.csr"
  local by=(-signkey "$name.key") more=()
  [ "$signer" = "$name" ] || by=(-CA "$signer.crt" -CAkey "$signer.key" -set_serial "${SERIAL:-$RANDOM}")
  if [ -n "$extensions" ]; then
    tr '|' '\n' <<<"$extensions" >"$name.cnf"
    more=(-extfile "$name.cnf")
  fi
  openssl x509 -req -in "$name.csr" "${by[@]}" "${more[@]}" -days 30 -out "$name.crt" "$@"
}

# at START END NAME SIGNER: signs the request of NAME again, with other times.
at() {
  : >index.txt
  printf '[ca]\ndefault_ca=own\n[own]\ndatabase=index.txt\nnew_certs_dir=.\nserial=serial\npolicy=any\n' >ca.cnf
  printf '[any]\ncommonName=optional\n' >>ca.cnf
  echo 0123 >serial
  local by=(-cert "$4.crt" -keyfile "$4.key")
  [ "$3" != "$4" ] || by=(-selfsign -keyfile "$4.key")
  openssl ca -batch -notext -config ca.cnf -md sha256 -startdate "$1" -enddate "$2" "${by[@]}" \
    -extfile "$3.cnf" -in "$3.csr" -out "$3.crt"
}

authority() { certificate authority authority "${1:-rsa2048}" "${2-$AUTHORITY}" "${@:3}"; }
server() { certificate server authority "${1:-rsa2048}" "${2-$SERVER}" "${@:3}"; }
middle() { certificate middle authority "${1:-rsa2048}" "${2-$AUTHORITY}" "${@:3}"; }
client() { certificate client authority "${1:-rsa2048}" "${2-extendedKeyUsage=clientAuth}" "${@:3}"; }
