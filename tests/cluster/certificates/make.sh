# shellcheck shell=bash
# Words for the recipes in kinds.rs: each makes certificates by openssl in the current folder. $KEYS has keys of each kind.

printf '[req]\ndistinguished_name=dn\n[dn]\n' >req.cnf
# What most certificates of authorities and servers have; | ends a line.
AUTHORITY='basicConstraints=critical,CA:TRUE|keyUsage=critical,keyCertSign,cRLSign|subjectKeyIdentifier=hash'
SERVER='subjectAltName=IP:127.0.0.1|extendedKeyUsage=serverAuth'

# key ROLE ALGORITHM: names the file of a key, which is made once: $KEYS/ALGORITHM-ROLE.
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

# certificate NAME SIGNER ALGORITHM EXTENSIONS [OPTION…]: NAME.crt and NAME.key, signed by SIGNER.crt or by itself; of
# version 1 if there are no extensions.
certificate() {
  local name=$1 signer=$2 algorithm=$3 extensions=$4 role=leaf
  shift 4
  # Whoever signs has another key than what is signed.
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

# at START END NAME SIGNER: signs the request of NAME again, for other times.
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
