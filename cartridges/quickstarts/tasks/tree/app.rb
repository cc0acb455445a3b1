# frozen_string_literal: true

require 'fileutils'
require 'sinatra/base'
require_relative 'lib/task_list'

# A list of tasks: read it, add to it, tick off, clear what is done.
class Tasks < Sinatra::Base
  DIRECTORY = ENV.fetch('OPENSHIFT_DATA_DIR') { File.join(__dir__, 'data') }
  FileUtils.mkdir_p(DIRECTORY)
  LIST = TaskList.new(File.join(DIRECTORY, 'tasks.pstore'))

  # Forms of other sites are refused.
  set :protection, reaction: :deny
  # Puma's log has the requests.
  disable :logging

  def h(text) = Rack::Utils.escape_html(text)

  def page(problem: nil)
    erb :index, locals: { tasks: LIST.all, problem: problem }
  end

  get('/') { page }

  post '/tasks' do
    LIST.add(params['title'])
    redirect to('/'), 303
  rescue ArgumentError => e
    status 400
    page(problem: e.message)
  end

  post '/tasks/:id' do
    LIST.set_done(Integer(params['id'], 10), params['done'] == 'yes')
    redirect to('/'), 303
  rescue ArgumentError, KeyError
    halt 404, 'There is no such task.'
  end

  post '/clear' do
    LIST.clear
    redirect to('/'), 303
  end
end
