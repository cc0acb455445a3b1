</main>
<footer class="site-footer">
  <div class="wrap">
    <p><?php bloginfo('name'); ?> runs WordPress on Gearbox.</p>
  </div>
</footer>
<?php wp_footer(); ?>
</body>
</html>
