# frozen_string_literal: true

require 'erb'

# The application: what it returns answers a request.
class Welcome
  PAGE = File.read(File.join(__dir__, 'index.html'), encoding: 'UTF-8')

  def call(env)
    return [404, { 'content-type' => 'text/plain' }, ["There is nothing here.\n"]] unless env['PATH_INFO'] == '/'

    values = facts(env)
    page = PAGE.gsub(/\{\{(\w+)\}\}/) { ERB::Util.html_escape(values[$1]) }
    [200, { 'content-type' => 'text/html; charset=utf-8' }, [page]]
  end

  private

  def facts(env)
    name = ENV.fetch('OPENSHIFT_APP_NAME', 'my application')
    host = ENV['OPENSHIFT_MYSQL_DB_HOST']
    {
      'name' => name,
      'repository' => "ssh://#{ENV['OPENSHIFT_GEAR_UUID']}@#{ENV['OPENSHIFT_GEAR_DNS']}/~/git/#{name}.git/",
      'address' => env['HTTP_HOST'],
      'version' => RUBY_VERSION,
      'database' => host ? "MySQL at #{host}:#{ENV['OPENSHIFT_MYSQL_DB_PORT']}" : 'none yet',
      'gear' => ENV['OPENSHIFT_GEAR_UUID']
    }
  end
end

run Welcome.new
