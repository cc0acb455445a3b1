<?php
if (post_password_required()) {
    return;
}
?>
<section class="comments">
  <?php if (have_comments()) : ?>
    <h2><?php comments_number(); ?></h2>
    <ol><?php wp_list_comments(['style' => 'ol', 'avatar_size' => 0]); ?></ol>
    <?php the_comments_navigation(); ?>
  <?php endif; ?>
  <?php comment_form(); ?>
</section>
