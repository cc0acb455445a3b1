<?php get_header(); ?>
<?php if (!have_posts()) : ?>
  <article><h1>Nothing here yet</h1><?php get_search_form(); ?></article>
<?php endif; ?>
<?php while (have_posts()) : the_post(); ?>
  <article id="post-<?php the_ID(); ?>" <?php post_class(); ?>>
    <?php if (is_singular()) : ?>
      <h1><?php the_title(); ?></h1>
    <?php else : ?>
      <h2><a href="<?php the_permalink(); ?>"><?php the_title(); ?></a></h2>
    <?php endif; ?>
    <?php if (get_post_type() === 'post') : ?>
      <p class="meta"><time datetime="<?php echo esc_attr(get_the_date('c')); ?>"><?php echo esc_html(get_the_date()); ?></time>
        · <?php the_author(); ?></p>
    <?php endif; ?>
    <?php the_post_thumbnail('large'); ?>
    <?php the_content('Read on'); ?>
    <?php wp_link_pages(); ?>
  </article>
  <?php if (is_singular() && (comments_open() || get_comments_number())) {
      comments_template();
  } ?>
<?php endwhile; ?>
<?php the_posts_pagination(['prev_text' => 'Newer', 'next_text' => 'Older']); ?>
<?php get_footer(); ?>
