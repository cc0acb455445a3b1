#!/bin/bash
# WordPress by hand, for from_code.py: what Gearbox does, as one would type it. Prints the milliseconds of each step.
#     by_hand.sh DIRECTORY REPOSITORY VERSION TEXT-OF-THE-PAGE
set -eu -o pipefail
place=$1 repository=$2 version=$3 text=$4
last=${EPOCHREALTIME/./}
step() {
    local now=${EPOCHREALTIME/./}
    echo "$1 $(((now - last) / 1000))"
    last=${EPOCHREALTIME/./}
}
cd "$place"
export OPENSHIFT_APP_NAME=blog OPENSHIFT_SECRET_TOKEN=secret OPENSHIFT_REPO_DIR=$place/repo/
export OPENSHIFT_MYSQL_DB_HOST=127.0.0.1 OPENSHIFT_MYSQL_DB_PORT=3399 OPENSHIFT_MYSQL_DB_USERNAME=admin OPENSHIFT_MYSQL_DB_PASSWORD=secret
mkdir db run
chown nobody db run

git clone -q "$repository" repo
step "clone"
curl -sS -O "http://127.0.0.1:8088/wordpress-$version.tar.gz" -O "http://127.0.0.1:8088/wordpress-$version.tar.gz.md5"
echo "$(cat "wordpress-$version.tar.gz.md5")  wordpress-$version.tar.gz" | md5sum --quiet -c
step "fetch"
tar -xzf "wordpress-$version.tar.gz"
step "untar"
cp -r wordpress current
cp repo/.openshift/config/wp-config.php repo/.openshift/config/.htaccess current/
step "lay out"
mariadb-install-db --no-defaults --user=nobody --datadir="$place/db" --auth-root-authentication-method=normal --skip-test-db >/dev/null
step "initialise the database"
mariadbd --no-defaults --user=nobody --datadir="$place/db" --socket="$place/run/db.sock" --pid-file="$place/run/db.pid" --port=3399 \
    --bind-address=127.0.0.1 2>run/db.log &
database=$!
trap 'kill $database $(cat run/httpd.pid); wait' EXIT
until mariadb-admin --no-defaults --socket="$place/run/db.sock" ping >/dev/null 2>&1; do sleep 0.02; done
mariadb --no-defaults --socket="$place/run/db.sock" \
    -e "create database blog; create user admin@'127.0.0.1' identified by 'secret'; grant all on blog.* to admin@'127.0.0.1'"
step "start the database"
modules=/usr/lib/apache2/modules
php=$(printf '%s\n' "$modules"/libphp*.so | tail -n 1)
cat >httpd.conf <<END
ServerRoot "$place"
PidFile "$place/run/httpd.pid"
ServerName localhost
Listen 127.0.0.1:8099
LoadModule mpm_prefork_module $modules/mod_mpm_prefork.so
LoadModule authz_core_module $modules/mod_authz_core.so
LoadModule dir_module $modules/mod_dir.so
LoadModule mime_module $modules/mod_mime.so
LoadModule rewrite_module $modules/mod_rewrite.so
LoadModule php_module $php
TypesConfig /etc/mime.types
AddHandler application/x-httpd-php .php
User nobody
ErrorLog "$place/run/error.log"
DocumentRoot "$place/current"
DirectoryIndex index.php
<Directory "$place/current">
    AllowOverride All
</Directory>
END
apache2 -f "$place/httpd.conf"
step "start the web server"
for _ in {1..500}; do
    page=$(curl -sS http://127.0.0.1:8099/wp-admin/install.php 2>/dev/null || true)
    [[ $page != *"$text"* ]] || break
    sleep 0.02
done
[[ $page == *"$text"* ]] || { echo "no form: $page" >&2; exit 1; }
step "first page"
