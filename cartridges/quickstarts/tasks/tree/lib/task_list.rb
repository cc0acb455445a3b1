# frozen_string_literal: true

require 'pstore'

# The tasks, in one file. Threads and processes may use it at the same time.
class TaskList
  Task = Struct.new(:title, :done)
  LONGEST = 200 # characters of a title
  MOST = 1000   # tasks

  # The directory of +path+ must exist.
  def initialize(path)
    @store = PStore.new(path, true)
    @store.ultra_safe = true
  end

  # Number → task, what is to be done first.
  def all
    tasks = @store.transaction(true) { @store[:tasks] || {} }
    tasks.sort_by { |id, task| [task.done ? 1 : 0, id] }.to_h
  end

  # Raises ArgumentError with what the visitor can do about it.
  def add(title)
    title = title.to_s.scrub.strip
    raise ArgumentError, 'Please say what is to be done.' if title.empty?
    raise ArgumentError, "Please say it in #{LONGEST} characters." if title.length > LONGEST

    change do |tasks|
      raise ArgumentError, "There are #{MOST} tasks already: clear some." if tasks.size >= MOST

      id = @store[:last] = @store.fetch(:last, 0) + 1
      tasks[id] = Task.new(title, false)
    end
  end

  # Raises KeyError when there is no such task.
  def set_done(id, done)
    change { |tasks| tasks.fetch(id).done = done }
  end

  # Forgets what is done.
  def clear
    change { |tasks| tasks.reject! { |_, task| task.done } }
  end

  private

  # What raises an exception changes nothing.
  def change
    @store.transaction { yield(@store[:tasks] ||= {}) }
  end
end
