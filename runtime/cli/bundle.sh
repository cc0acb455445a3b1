#!/bin/sh
# Packs the gearbox client with the libraries that it uses, down to the C library and its loader, so that it runs on
# any x86-64 Linux from kernel 3.2 on, whatever is installed there:
#     bundle.sh BINARY OUTPUT.tar.gz
# The archive holds one folder, gearbox/, whose program is gearbox/gearbox. Equal inputs give equal bytes.
set -eu

binary=${1:?usage: bundle.sh BINARY OUTPUT.tar.gz}
output=${2:?usage: bundle.sh BINARY OUTPUT.tar.gz}
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
lib=$work/gearbox/lib
mkdir -p "$lib" "$work/gearbox/licenses"

# "libssl.so.3 => /usr/lib/… (0x…)" and the loader's own line.
libraries() {
    ldd "$binary" | sed -n 's/.*=> \(\/[^ ]*\) (.*/\1/p; s/^[[:space:]]*\(\/[^ ]*\/ld-linux[^ ]*\) (.*/\1/p'
}

cp "$binary" "$lib/gearbox"
strip "$lib/gearbox"
for library in $(libraries); do
    cp -L "$library" "$lib/"
    # Debian tells the licence of every package in one file.
    package=$(dpkg -S "*/$(basename "$library")" 2>/dev/null | sed -n '1s/:.*//p')
    [ -z "$package" ] || cp "/usr/share/doc/$package/copyright" "$work/gearbox/licenses/$package" 2>/dev/null || true
done
[ -e "$lib/ld-linux-x86-64.so.2" ] || {
    echo "bundle.sh: '$binary' is no dynamic x86-64 program" >&2
    exit 1
}

cat >"$work/gearbox/gearbox" <<'WRAPPER'
#!/bin/sh
# The gearbox client with the libraries beside it. Nothing of this machine is used but its kernel and its list of
# certificate authorities.
here=$(dirname "$(readlink -f "$0")")
if [ -z "${SSL_CERT_FILE:-}" ]; then
    for file in /etc/ssl/certs/ca-certificates.crt /etc/pki/tls/certs/ca-bundle.crt /etc/ssl/ca-bundle.pem /etc/ssl/cert.pem; do
        [ ! -r "$file" ] || { SSL_CERT_FILE=$file; export SSL_CERT_FILE; break; }
    done
fi
exec "$here/lib/ld-linux-x86-64.so.2" --inhibit-cache --library-path "$here/lib" "$here/lib/gearbox" "$@"
WRAPPER
chmod 755 "$work/gearbox/gearbox" "$lib/ld-linux-x86-64.so.2"
tar -C "$work" --sort=name --owner=0 --group=0 --numeric-owner --mode=go-w,a+rX --mtime="@${SOURCE_DATE_EPOCH:-0}" \
    -cf - gearbox | gzip -9n >"$output.new"
mv "$output.new" "$output"
