# frozen_string_literal: true

# Settings of Puma.
bind "tcp://#{ENV.fetch('OPENSHIFT_RUBY_IP')}:#{ENV.fetch('OPENSHIFT_RUBY_PORT')}"
# Written when the application is loaded, also after a restart in place.
state_path File.join(ENV.fetch('OPENSHIFT_RUBY_DIR'), 'run/ready')
threads 1, Integer(ENV.fetch('RAILS_MAX_THREADS', 8))
# One process is the smallest; each more of a large gear shares what was loaded.
memory = Integer(ENV.fetch('OPENSHIFT_GEAR_MEMORY_MB', 512))
workers Integer(ENV.fetch('WEB_CONCURRENCY', memory < 1024 ? 0 : [memory / 512, 8].min))
preload_app!
log_requests true

# The gems of the application's Gemfile, also where config.ru does not ask for
# them. Puma itself need not be one: what it still wants to load stays in reach.
if ENV['BUNDLE_GEMFILE'] && !defined?(Bundler)
  own = $LOAD_PATH.dup
  require 'bundler/setup'
  $LOAD_PATH.concat(own - $LOAD_PATH)
  on_restart { ENV.replace(Bundler.original_env) }
end

# threaddump
trap('QUIT') do
  Thread.list.each { |thread| STDERR.puts("Thread #{thread.inspect}", thread.backtrace) }
end
