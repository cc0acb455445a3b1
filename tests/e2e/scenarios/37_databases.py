"""The life of applications with each of the databases."""

from appliance import expect
from cartridge_life import end, live

NODE = r"""
const http = require('http'), net = require('net'), env = process.env;
http.createServer((request, response) => {
  const redis = net.connect(env.OPENSHIFT_REDIS_PORT, env.OPENSHIFT_REDIS_HOST, () =>
    redis.write(`AUTH ${env.OPENSHIFT_REDIS_PASSWORD}\r\nGET note\r\nQUIT\r\n`));
  let text = '';
  redis.on('data', (data) => { text += data; });
  redis.on('error', (error) => response.end(String(error)));
  redis.on('end', () => response.end('node says ' + text));
}).listen(env.OPENSHIFT_NODEJS_PORT, env.OPENSHIFT_NODEJS_IP);
"""
PYTHON = """
import subprocess

def application(environ, start_response):
    note = subprocess.run(["psql", "-XAtc", "SELECT text FROM note"], capture_output=True, text=True)
    start_response("200 OK", [("Content-Type", "text/plain")])
    return [("python says " + note.stdout + note.stderr).encode()]
"""
PHP = r"""<?php
$env = fn($name) => getenv("OPENSHIFT_MYSQL_DB_$name");
$database = new mysqli($env('HOST'), $env('USERNAME'), $env('PASSWORD'), getenv('OPENSHIFT_APP_NAME'), (int) $env('PORT'));
echo 'php says ', $database->query('SELECT text FROM note')->fetch_row()[0];
"""
MARIADB = ("mariadb --no-defaults -h $OPENSHIFT_MYSQL_DB_HOST -P $OPENSHIFT_MYSQL_DB_PORT -u $OPENSHIFT_MYSQL_DB_USERNAME "
           "-p$OPENSHIFT_MYSQL_DB_PASSWORD $OPENSHIFT_APP_NAME -e ")
# cartridges → what is pushed, what a session stores, what the pages are then
LIVES = {
    "nodejs": {"cartridges": ["nodejs", "redis"], "files": {"server.js": NODE},
               "store": "redis-cli $REDIS_CLI set note kept-by-redis",
               "page": ("node says", "kept-by-redis")},
    "python": {"cartridges": ["python", "postgresql"], "files": {"wsgi.py": PYTHON},
               "store": "psql -qc \"CREATE TABLE note (text text); INSERT INTO note VALUES ('kept-by-postgresql')\"",
               "page": ("python says", "kept-by-postgresql")},
    "php": {"cartridges": ["php", "mysql", "phpmyadmin"], "files": {"index.php": PHP},
            "store": MARIADB + "\"CREATE TABLE note (text TEXT); INSERT INTO note VALUES ('kept-by-mysql')\"",
            "page": ("php says", "kept-by-mysql"), "beside": {"/phpmyadmin/": "pma_password"}},
}
state = {}


def check_nodejs_with_redis(appliance):
    state["nodejs"] = live(appliance, "nodejs", LIVES["nodejs"])


def check_python_with_postgresql(appliance):
    state["python"] = live(appliance, "python", LIVES["python"])


def check_php_with_mysql_and_phpmyadmin(appliance):
    state["php"] = live(appliance, "php", LIVES["php"])


def check_domains_of_databases(appliance):
    for name, program in (("nodejs", "valkey-server"), ("python", "postgres"), ("php", "mariadbd")):
        uid = appliance.facts_of(state[name])["uid"]
        found = {line.split()[0].split(":")[2] for line in appliance.sudo(f"ps -o label=,comm= -U {uid}").splitlines()
                 if line.split()[1] == program}
        expect(found, {"gear_db_t"}, program)


def check_restored_into_others_and_deleted(appliance):
    for name, life in LIVES.items():
        end(appliance, state[name], life)


def check_no_denial_after_the_databases(appliance):
    expect(appliance.machine.denials(), [], "denials")
