# frozen_string_literal: true

# Functions for cartridge scripts in Ruby. Use: require ENV['OPENSHIFT_CARTRIDGE_SDK_RUBY'], or ruby_sdk of the bash SDK.
# Names are those of the OpenShift v2 SDK; what they know is read from the gear's own files.

require 'json'
require 'yaml'

module OpenShift
  module CartridgeSdk
    # A cartridge of the gear, as its directory tells.
    class InstalledCartridge
      attr_reader :directory, :manifest

      def initialize(directory)
        @directory = directory.chomp('/')
        @manifest = YAML.safe_load(File.read(File.join(@directory, 'metadata/manifest.yml')))
      end

      def name
        manifest['Name'].downcase
      end

      def short_name
        manifest['Cartridge-Short-Name'].upcase
      end

      # As OPENSHIFT_<SHORT>_IDENT has it: vendor, name, version, version of the packaging.
      def ident
        File.read(Dir[File.join(directory, 'env/OPENSHIFT_*_IDENT')].fetch(0)).chomp.split(':')
      end

      def version
        ident[2]
      end

      def endpoints
        manifest['Endpoints'] || []
      end
    end

    # Of the newest metadata.json.
    Deployment = Struct.new(:git_ref, :git_sha1, :id, :hot_deploy, :force_clean_build, :activations, :checksum, keyword_init: true)

    def primary_cartridge
      @primary_cartridge ||= InstalledCartridge.new(ENV.fetch('OPENSHIFT_PRIMARY_CARTRIDGE_DIR'))
    end

    def primary_cartridge_manifest
      primary_cartridge.manifest
    end

    def primary_cartridge_short_name
      primary_cartridge.short_name
    end

    def primary_cartridge_private_ip_name
      primary_cartridge.endpoints.first&.fetch('Private-IP-Name')
    end

    def primary_cartridge_private_port_name
      primary_cartridge.endpoints.first&.fetch('Private-Port-Name')
    end

    # nil before the first deployment.
    def latest_deployment_metadata
      file = Dir[File.join(ENV.fetch('OPENSHIFT_DEPLOYMENTS_DIR'), '[0-9]*/metadata.json')].max
      file && Deployment.new(**JSON.parse(File.read(file)).transform_keys(&:to_sym).slice(*Deployment.members))
    end

    # Web gears for each proxy, and the gears that are both: an application has one gear.
    def app_web_to_proxy_ratio_and_colocated_gears
      '1 '
    end

    # PATH_ELEMENT or LD_LIBRARY_PATH_ELEMENT of all cartridges, the primary's first.
    def get_path_from_elements(element)
      own = "OPENSHIFT_#{primary_cartridge.short_name}_#{element}"
      names = ENV.keys.grep(/\AOPENSHIFT_[A-Z0-9]+_#{Regexp.escape(element)}\z/).sort_by { |name| [name == own ? 0 : 1, name] }
      names.map { |name| ENV.fetch(name) }.join(':')
    end

    # Negative, 0 or positive.
    def version_comp(left, right)
      Gem::Version.new(left) <=> Gem::Version.new(right)
    end
  end
end
