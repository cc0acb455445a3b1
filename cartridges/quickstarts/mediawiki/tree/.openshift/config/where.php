<?php
// For each address of the site: which settings MediaWiki has.
define('MW_CONFIG_FILE', __DIR__ . '/LocalSettings.php');
