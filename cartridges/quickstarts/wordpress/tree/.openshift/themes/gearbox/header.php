<!DOCTYPE html>
<html <?php language_attributes(); ?>>
<head>
<meta charset="<?php bloginfo('charset'); ?>">
<meta name="viewport" content="width=device-width, initial-scale=1">
<?php wp_head(); ?>
</head>
<body <?php body_class(); ?>>
<?php wp_body_open(); ?>
<header class="site-header">
  <div class="wrap">
    <p class="title"><a href="<?php echo esc_url(home_url('/')); ?>"><?php bloginfo('name'); ?></a></p>
    <p><?php bloginfo('description'); ?></p>
    <?php if (has_nav_menu('primary')) : ?>
      <nav aria-label="Menu"><?php wp_nav_menu(['theme_location' => 'primary', 'container' => false]); ?></nav>
    <?php endif; ?>
  </div>
</header>
<main class="wrap">
