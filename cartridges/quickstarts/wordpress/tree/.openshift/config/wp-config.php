<?php
/**
 * WordPress's configuration, copied beside WordPress at every deployment.
 * Everything that differs between applications comes from the environment.
 */

require_once getenv('OPENSHIFT_REPO_DIR') . '.openshift/lib/gearbox.php';

define('DB_NAME', gearbox_env('OPENSHIFT_APP_NAME'));
define('DB_USER', gearbox_env('OPENSHIFT_MYSQL_DB_USERNAME'));
define('DB_PASSWORD', gearbox_env('OPENSHIFT_MYSQL_DB_PASSWORD'));
define('DB_HOST', gearbox_env('OPENSHIFT_MYSQL_DB_HOST') . ':' . gearbox_env('OPENSHIFT_MYSQL_DB_PORT'));
define('DB_CHARSET', 'utf8mb4');
define('DB_COLLATE', '');
$table_prefix = 'wp_';

foreach (['AUTH', 'SECURE_AUTH', 'LOGGED_IN', 'NONCE'] as $gearbox_name) {
    foreach (['KEY', 'SALT'] as $gearbox_kind) {
        $gearbox_key = "{$gearbox_name}_{$gearbox_kind}";
        define($gearbox_key, gearbox_key($gearbox_key, gearbox_env('OPENSHIFT_SECRET_TOKEN')));
    }
}
unset($gearbox_name, $gearbox_kind, $gearbox_key);

define('WP_HOME', gearbox_site_url($_SERVER));
define('WP_SITEURL', WP_HOME);
// Cookies are secure whenever the request is; this also refuses plain HTTP for
// the administration. Set it once the site is only used through HTTPS.
define('FORCE_SSL_ADMIN', getenv('WORDPRESS_FORCE_SSL_ADMIN') === '1');

// Code comes from the node's package and from pushes, not from the network: a
// gear has no way out, and waiting for an answer would only slow pages down.
define('AUTOMATIC_UPDATER_DISABLED', true);
define('WP_AUTO_UPDATE_CORE', false);
define('DISALLOW_FILE_EDIT', true);
define('WP_HTTP_BLOCK_EXTERNAL', getenv('WORDPRESS_ALLOW_OUTGOING') !== '1');
// No requests of the site to itself; see .openshift/cron/hourly/wordpress.
define('DISABLE_WP_CRON', true);

define('FS_METHOD', 'direct');
define('WP_TEMP_DIR', gearbox_env('OPENSHIFT_TMP_DIR'));
define('WP_DEFAULT_THEME', 'gearbox');
define('WP_DEBUG', getenv('APPLICATION_ENV') === 'development');
define('WP_DEBUG_DISPLAY', false);

if (!defined('ABSPATH')) {
    define('ABSPATH', __DIR__ . '/');
}
require_once ABSPATH . 'wp-settings.php';
