<?php
/**
 * What wp-config.php takes from the platform. No value here is secret by itself.
 */

/** Ends the request with a sentence that the owner of the site can act on. */
function gearbox_stop(string $reason): never
{
    http_response_code(503);
    header('Content-Type: text/plain; charset=utf-8');
    error_log("wordpress: $reason");
    exit("This site is not set up: $reason\n");
}

/** A variable of the gear that must be there. */
function gearbox_env(string $name): string
{
    $value = getenv($name);
    if ($value === false || $value === '') {
        gearbox_stop("the environment variable $name is missing");
    }
    return $value;
}

/**
 * One of WordPress's keys and salts: 64 characters that follow from the
 * application's secret token and the key's name, so that they are the same on
 * every gear and after every deployment, and none of them tells another.
 */
function gearbox_key(string $name, string $token): string
{
    return substr(base64_encode(hash_hmac('sha512', "wordpress:$name", $token, true)), 0, 64);
}

/**
 * The address that the browser used, with its port: a site is reached under
 * several names and through forwarded ports. Anything that is not a plain host
 * name falls back to the application's own name.
 */
function gearbox_site_url(array $server): string
{
    $host = $server['HTTP_HOST'] ?? '';
    $label = '[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?';
    if (strlen($host) > 255 || !preg_match("/^$label(?:\\.$label)*(?::([0-9]{1,5}))?\$/Di", $host, $match)
        || (int) ($match[1] ?? 80) < 1 || (int) ($match[1] ?? 80) > 65535) {
        $host = getenv('OPENSHIFT_APP_DNS') ?: 'localhost';
    }
    $secure = !empty($server['HTTPS']) && $server['HTTPS'] !== 'off';
    return ($secure ? 'https://' : 'http://') . strtolower($host);
}
