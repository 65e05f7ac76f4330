#!/usr/bin/env bash
# The lab's own authority, and a certificate by it for one computer: broker or web on a lab's network.
#   deploy/make-certificates.sh FOLDER NAME [ADDRESS...]
# FOLDER/lab-ca.pem goes to every computer that is to trust the lab; FOLDER/lab-ca.key stays where
# it is, best on a stick in a drawer. Run it again to renew a certificate: the authority stays.
set -euo pipefail
umask 077

[ $# -ge 2 ] || { sed -n '2,5s/^# \{0,1\}//p' "$0" >&2; exit 2; }
folder=$1 name=$2
shift 2
install -d -m 0711 "$folder" # its certificates are for everybody, its keys are not

if [ ! -e "$folder/lab-ca.key" ]; then
    openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 3650 \
        -subj "/CN=Fab Lab authority" -keyout "$folder/lab-ca.key" -out "$folder/lab-ca.pem" \
        -addext "basicConstraints=critical,CA:TRUE,pathlen:0" \
        -addext "keyUsage=critical,keyCertSign,cRLSign" 2>/dev/null
fi

names="DNS:$name"
for address in "$@"; do names+=",IP:$address"; done
request=$(mktemp "$folder/.request-XXXXXX")
trap 'rm -f "$request" "$request.ext" "$request.key" "$request.pem"' EXIT
printf '%s\n' "subjectAltName=$names" "extendedKeyUsage=serverAuth" \
    "basicConstraints=critical,CA:FALSE" "keyUsage=critical,digitalSignature" >"$request.ext"
openssl req -new -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -subj "/CN=$name" \
    -keyout "$request.key" -out "$request" 2>/dev/null
# 397 days: browsers take no longer ones. `fabctl doctor` says in time when one ends.
openssl x509 -req -in "$request" -days 397 -CA "$folder/lab-ca.pem" -CAkey "$folder/lab-ca.key" \
    -CAcreateserial -extfile "$request.ext" -out "$request.pem" 2>/dev/null
# only now: whoever starts with the key of one and the certificate of the other serves nobody
chmod 0644 "$folder/lab-ca.pem" "$request.pem"
if [ -e "$folder/$name.key" ]; then # whose it was made, such as the broker's, stays
    chown --reference="$folder/$name.key" "$request.key"
    chmod --reference="$folder/$name.key" "$request.key"
fi
mv "$request.key" "$folder/$name.key"
mv "$request.pem" "$folder/$name.pem"
printf '%s\n' "$folder/lab-ca.pem" "$folder/$name.pem" "$folder/$name.key"
