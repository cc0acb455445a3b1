<?php
require __DIR__ . '/../.openshift/config/where.php';
require '/usr/share/mediawiki/index.php';
