// Where things are. All path building of the node lives here.
//
//   <state_dir>/                      /var/lib/gearbox
//     gears/<uuid>.json               what the node knows about a gear (gear_store.h)
//     router/routes.map               host name → address, read by HAProxy at its start
//   <runtime_dir>/                    /run/gearbox
//     control.sock                    (control/)
//     resolv.conf                     that of all gears
//     mirror.env                      registries and size of the mirror
//     disk-full                       why nothing is created or deployed; not there if there is room
//     root/                           empty: gear-init builds a gear's root over it, in its own
//     namespace
//   <gear_base>/<uuid>/               a gear's home, root:<gid> 0750; what the gear owns is marked
//   *
//     .env/NAME                       variables of the platform; .env/user_vars/NAME of the user,
//                                     .env/domain_vars/NAME of the domain's cartridges
//     .ssh/authorized_keys
//     .auth/ .openshift_ssh/ .sandbox/ .tmp/
//     app-root/data*  app-root/logs*  app-root/data/.bash_profile …
//     app-root/runtime/repo*  dependencies*  build-dependencies*  data → ../data  .state
//     app-root/repo → runtime/repo  …
//     app-deployments*/by-id/<id> → ../<stamp>  current → <stamp>  <stamp>/{repo,…,metadata.json}
//     git/<app>.git*                  hooks/ is root's
//     .downloaded/N/{tree*,work*}     while cartridges of the user's own are being fetched
//     <cartridge>*/env/NAME  bin/control …
#pragma once
#include "base/settings.h"
#include "base/str.h"
#include "model/gear.h"

#include <string>

namespace gearbox {

class Paths {
public:
    explicit Paths(const Settings& settings)
        : state_dir(settings.paths.state_dir),
          runtime_dir(settings.paths.runtime_dir),
          gear_base(settings.node.gear_base),
          libexec_dir(settings.node.libexec_dir) {}

    std::string records() const { return str(state_dir, "/gears"); }
    std::string record(const GearId& gear) const {
        return str(records(), "/", gear.text(), ".json");
    }
    std::string control_socket() const { return str(runtime_dir, "/control.sock"); }
    std::string mirror_file() const { return str(runtime_dir, "/mirror.env"); }
    std::string resolv_conf() const { return str(runtime_dir, "/resolv.conf"); }
    std::string shortage() const { return str(runtime_dir, "/disk-full"); }
    std::string new_root() const { return str(runtime_dir, "/root"); }
    std::string home(const GearId& gear) const { return str(gear_base, "/", gear.text()); }
    std::string gear_init() const { return str(libexec_dir, "/gear-init"); }
    std::string gear_shell() const { return str(libexec_dir, "/gear-shell"); }
    std::string gear_deploy() const { return str(libexec_dir, "/gear-deploy"); }
    std::string gear_hook() const { return str(libexec_dir, "/gear-hook"); }
    std::string gear_fetch() const { return str(libexec_dir, "/gear-fetch"); }
    std::string commands() const { return str(libexec_dir, "/bin"); }

    std::string state_dir;
    std::string runtime_dir;
    std::string gear_base;
    std::string libexec_dir;
};

/// Relative to a gear's home.
namespace home {
inline constexpr const char* repo = "app-root/runtime/repo";
inline constexpr const char* downloaded = ".downloaded";
inline constexpr const char* stop_lock = "app-root/runtime/.stop_lock";
inline constexpr const char* start_priority = ".start_priority";
inline constexpr const char* deployments = "app-deployments";
inline std::string repository(const GearSpec& spec) {
    return str("git/", spec.application_name.text(), ".git");
}
}  // namespace home

}  // namespace gearbox
