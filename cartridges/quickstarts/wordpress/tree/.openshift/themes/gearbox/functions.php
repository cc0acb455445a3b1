<?php

add_action('after_setup_theme', static function (): void {
    add_theme_support('title-tag');
    add_theme_support('automatic-feed-links');
    add_theme_support('post-thumbnails');
    add_theme_support('responsive-embeds');
    add_theme_support('html5', ['comment-form', 'comment-list', 'gallery', 'caption', 'style', 'script']);
    register_nav_menus(['primary' => 'Menu below the title']);
});

add_action('wp_enqueue_scripts', static function (): void {
    // The time of the file, so that a push is seen through every browser cache.
    wp_enqueue_style('gearbox', get_stylesheet_uri(), [], (string) filemtime(__DIR__ . '/style.css'));
});

// Browsers draw emoji themselves; the script would load pictures from elsewhere.
remove_action('wp_head', 'print_emoji_detection_script', 7);
remove_action('wp_print_styles', 'print_emoji_styles');
