<?php
// MediaWiki's settings: https://www.mediawiki.org/wiki/Manual:Configuration_settings
if (!defined('MEDIAWIKI')) {
    exit;
}

$wgSitename = getenv('WIKI_NAME') ?: ucfirst(getenv('OPENSHIFT_APP_NAME'));
$wgLanguageCode = getenv('WIKI_LANGUAGE') ?: 'en';

// Who may write. Administrators make accounts: Special:CreateAccount.
$wgGroupPermissions['*']['edit'] = false;
$wgGroupPermissions['*']['createaccount'] = false;

// Where everything is; extensions and skins come after it.
$data = rtrim(getenv('OPENSHIFT_DATA_DIR'), '/');
$wgServer = PHP_SAPI === 'cli' ? 'http://' . getenv('OPENSHIFT_APP_DNS') : WebRequest::detectServer();
$wgScriptPath = '';
$wgArticlePath = '/wiki/$1';
$wgExtensionDirectory = '/usr/share/mediawiki/extensions-core';
$wgEnableUploads = true;
$wgUploadDirectory = "$data/images";
$wgCacheDirectory = "$data/cache";
$wgTmpDirectory = getenv('OPENSHIFT_TMP_DIR');

$wgDBtype = 'mysql';
$wgDBserver = getenv('OPENSHIFT_MYSQL_DB_HOST') . ':' . getenv('OPENSHIFT_MYSQL_DB_PORT');
$wgDBname = getenv('OPENSHIFT_APP_NAME');
$wgDBuser = getenv('OPENSHIFT_MYSQL_DB_USERNAME');
$wgDBpassword = getenv('OPENSHIFT_MYSQL_DB_PASSWORD');

$wgMainCacheType = CACHE_DB;
$wgSessionCacheType = CACHE_DB;
$wgSecretKey = hash_hmac('sha256', 'mediawiki', getenv('OPENSHIFT_SECRET_TOKEN'));
$wgUpgradeKey = substr(hash_hmac('sha256', 'upgrade', getenv('OPENSHIFT_SECRET_TOKEN')), 0, 16);

// Nothing goes out.
$wgEnableEmail = false;
$wgPingback = false;

wfLoadSkin('Vector');
wfLoadExtension('Cite');
wfLoadExtension('ParserFunctions');
wfLoadExtension('WikiEditor');
