// A node that exists only in memory: remembers what was asked, fails when told to.
#pragma once
#include "node/agent.h"

#include <algorithm>
#include <functional>
#include <map>
#include <mutex>
#include <set>
#include <string>
#include <vector>

namespace gearbox::test {

/// Thrown instead of SIGKILL: not a std::exception, so that no handler of the code under test
/// catches it and everything stays as it was.
struct SimulatedCrash {};

class FakeAgent final : public NodeAgent {
public:
    struct Gear {
        GearSpec spec;
        std::vector<std::string> cartridges;
        std::vector<std::string> fetched;  ///< addresses, of what is not added yet
        std::vector<PublicKey> keys;
        std::vector<EnvironmentVariable> variables;
        std::vector<EnvironmentVariable> domain_variables;
        DeploymentSettings deployment;
        GearResources resources = {};
        std::vector<std::string> hosts;
        RepositorySource::Kind source = RepositorySource::Kind::cartridge_template;
        GearState state = GearState::fresh;
    };

    /// Called with the name of every changing call, before it acts; may throw.
    std::function<void(const std::string&)> before;
    /// The same, after it acted.
    std::function<void(const std::string&)> after;
    std::function<void()> flushing;
    std::vector<Cartridge> catalogue = make_catalogue();
    std::vector<Cartridge> withdrawn;
    std::map<std::string, std::string> manifests;  ///< of users' own cartridges, by their address
    std::vector<std::string> absent_packages;
    NodeStorage disk = {100'000, 50'000, 1000};

    std::vector<std::string> calls() const {
        const std::lock_guard lock(mutex_);
        return calls_;
    }
    std::map<GearId, Gear> all() const {
        const std::lock_guard lock(mutex_);
        return gears_;
    }
    Gear gear(const std::string& id) const {
        const std::lock_guard lock(mutex_);
        return gears_.at(GearId(id));
    }
    void plant(const GearSpec& spec) {
        const std::lock_guard lock(mutex_);
        gears_[spec.id].spec = spec;
    }

    NodeStorage storage() const override { return disk; }
    void flush() const override {
        if (flushing) {
            flushing();
        }
    }
    std::vector<Cartridge> cartridges() const override { return catalogue; }
    std::vector<Cartridge> withdrawn_cartridges() const override { return withdrawn; }
    std::vector<std::string> missing_packages(const std::vector<std::string>& packages) const override {
        std::vector<std::string> out;
        for (const std::string& package : packages) {
            if (std::find(absent_packages.begin(), absent_packages.end(), package) != absent_packages.end()) {
                out.push_back(package);
            }
        }
        return out;
    }

    void create_gear(const GearSpec& spec) override {
        act("create_gear", [&] {
            gears_[spec.id].spec = spec;
            gears_[spec.id].variables = spec.user_variables;
        });
    }
    void destroy_gear(const GearId& gear) override {
        act("destroy_gear", [&] { gears_.erase(gear); });
    }
    bool has_gear(const GearId& gear) const override {
        const std::lock_guard lock(mutex_);
        return gears_.contains(gear);
    }
    std::vector<GearId> gears() const override {
        const std::lock_guard lock(mutex_);
        std::vector<GearId> out;
        for (const auto& [id, gear] : gears_) {
            out.push_back(id);
        }
        return out;
    }
    Cartridge fetch_cartridge(const GearId& gear, const std::string& url) override {
        act("fetch_cartridge " + url, [&] { known(gear).fetched.push_back(url); });
        if (!manifests.contains(url)) {
            fail(ErrorKind::invalid, "the cartridge '", url, "' cannot be used: nobody is there");
        }
        return parse_own_cartridge(manifests.at(url), url);
    }
    void drop_fetched(const GearId& gear) override {
        act("drop_fetched", [&] {
            if (gears_.contains(gear)) {
                gears_.at(gear).fetched.clear();
            }
        });
    }
    ScriptMessages add_cartridge(const GearId& gear, const Cartridge& cartridge) override {
        act("add_cartridge " + cartridge.name,
            [&] { known(gear).cartridges.push_back(cartridge.full_name()); });
        ScriptMessages said;
        if (cartridge.name == "mysql") {
            said.results = {"MySQL database added", "   Root User: admin"};
            said.cart_data = {{"username", "admin"},
                              {"connection_url", "mysql://127.0.0.1:3306/"}};
        }
        if (cartridge.name == "jenkins") {
            said.domain_variables = {{VariableName::parse("JENKINS_URL").value(), "http://ci/", true},
                                     {VariableName::parse("CI_MODE").value(), "on", false}};
        }
        return said;
    }
    ScriptMessages post_install(const GearId& gear, const std::string& cartridge) override {
        act("post_install " + cartridge, [&] { known(gear); });
        ScriptMessages said;
        if (cartridge == "mysql-8.0") {
            said.results = {"Ready"};
            said.cart_data = {{"connection_url", "mysql://127.0.0.1:3307/"}};
        }
        return said;
    }
    void remove_cartridge(const GearId& gear, const Cartridge& cartridge) override {
        act("remove_cartridge " + cartridge.name, [&] {
            if (gears_.contains(gear)) {
                std::erase(gears_.at(gear).cartridges, cartridge.full_name());
            }
        });
    }
    void create_repository(const GearId& gear, const RepositorySource& source) override {
        act("create_repository", [&] { known(gear).source = source.kind; });
    }
    ScriptMessages deploy_initially(const GearId& gear, const TextSink& output) override {
        output("building\n");
        act("deploy_initially", [&] { known(gear).state = GearState::started; });
        return {};
    }
    void start(const GearId& gear) override {
        act("start", [&] { known(gear).state = GearState::started; });
    }
    void stop(const GearId& gear, bool force) override {
        act(force ? "kill" : "stop", [&] { known(gear).state = GearState::stopped; });
    }
    void restart(const GearId& gear) override {
        act("restart", [&] { known(gear).state = GearState::started; });
    }
    void reload(const GearId& gear) override {
        act("reload", [&] { known(gear); });
    }
    void tidy(const GearId& gear) override {
        act("tidy", [&] { known(gear); });
    }
    ScriptMessages control(const GearId& gear, const std::string& cartridge,
                           const std::string& verb) override {
        act("control " + cartridge + " " + verb, [&] { known(gear); });
        ScriptMessages said;
        said.results = {cartridge + " is running"};
        return said;
    }
    GearState state(const GearId& gear) const override {
        const std::lock_guard lock(mutex_);
        const auto found = gears_.find(gear);
        if (found == gears_.end()) {
            fail(ErrorKind::not_found, "no gear '", gear.text(), "'");
        }
        return found->second.state;
    }
    void publish_routes(const GearId& gear, const std::vector<std::string>& hosts) override {
        act("publish_routes", [&] { known(gear).hosts = hosts; });
    }
    std::vector<std::string> check_routes(
        const std::map<GearId, std::vector<std::string>>& hosts) const override {
        const std::lock_guard lock(mutex_);
        std::vector<std::string> out;
        for (const auto& [gear, names] : hosts) {
            const auto found = gears_.find(gear);
            if (found != gears_.end() && found->second.hosts != names) {
                out.push_back("routes of " + gear.text());
            }
        }
        return out;
    }
    GearUse use(const GearId&) const override { return {1 << 20, 1000, 3, 4096, 7, false}; }
    Json plan(const GearId& gear) const override { return {{"gear", gear.text()}}; }
    std::vector<Profile> profiles() const override {
        Profile quiet;
        quiet.name = "quiet";
        quiet.description = "no way out";
        quiet.domains = {"d1"};
        return {quiet};
    }
    std::string profile(const GearId& gear) const override {
        const std::lock_guard lock(mutex_);
        const auto found = gears_.find(gear);
        return found != gears_.end() && found->second.spec.domain.text() == "d1" ? "quiet" : "";
    }
    void freeze(const GearId& gear, bool frozen) override {
        act(frozen ? "freeze" : "thaw", [&] { known(gear); });
    }
    GearHealth health(const GearId&) const override { return {2, 1, true}; }
    void set_certificate(const std::string& host, const std::string& pem) override {
        act("set_certificate", [&] { certificates_[host] = pem; });
    }
    void remove_certificate(const std::string& host) override {
        act("remove_certificate", [&] { certificates_.erase(host); });
    }
    std::map<std::string, std::string> certificates() const {
        const std::lock_guard lock(mutex_);
        return certificates_;
    }
    std::vector<GearEndpoint> endpoints(const GearId&) const override {
        return {{"php-8.4", "127.1.244.1", 8080, "100.64.7.209", 38031}};
    }
    void set_authorized_keys(const GearId& gear, const std::vector<PublicKey>& keys) override {
        act("set_authorized_keys", [&] { known(gear).keys = keys; });
    }
    void set_user_variables(const GearId& gear,
                            const std::vector<EnvironmentVariable>& variables) override {
        act("set_user_variables", [&] { known(gear).variables = variables; });
    }
    void set_domain_variables(const GearId& gear,
                              const std::vector<EnvironmentVariable>& variables) override {
        act("set_domain_variables", [&] {
            if (gears_.contains(gear)) {
                gears_.at(gear).domain_variables = variables;
            }
        });
    }
    void set_resources(const GearId& gear, const GearResources& resources) override {
        act("set_resources", [&] { known(gear).resources = resources; });
    }
    void set_deployment_settings(const GearId& gear, const DeploymentSettings& settings) override {
        act("set_deployment_settings", [&] { known(gear).deployment = settings; });
    }
    std::vector<Deployment> deployments(const GearId&) const override {
        return {{"0123abcd", "master", std::string(40, 'a'), false, false, 1700000000, {1700000001.5}}};
    }

    LogPage logs(const GearId&, const std::string& cursor, int lines) const override {
        return cursor.empty() ? LogPage{{{"app-root/logs/php.log", "the last of " + std::to_string(lines)}}, "here"}
                             : LogPage{{}, cursor + " and on"};
    }

    bool deploy(const GearId& gear, const DeployRequest& request,
                const TextSink& output) override {
        act("deploy " + request.ref, [&] { known(gear); });
        if (output) {
            output("deployed\n");
        }
        return true;
    }
    bool activate(const GearId& gear, const std::string& deployment, const TextSink&) override {
        act("activate " + deployment, [&] { known(gear); });
        if (deployment != "0123abcd") {
            fail(ErrorKind::not_found, "there is no deployment with the id '", deployment, "'");
        }
        return true;
    }

    static std::vector<Cartridge> make_catalogue() {
        return {make_cartridge("php", "8.4", "web_framework"),
                make_cartridge("php", "8.2", "web_framework"),
                make_cartridge("python", "3.13", "web_framework"),
                make_cartridge("mysql", "8.0", "database"),
                make_cartridge("cron", "1.4", "embedded"),
                make_cartridge("phpmyadmin", "5.2", "embedded", {"mysql"})};
    }

private:
    static Cartridge make_cartridge(const std::string& name, const std::string& version,
                                    const std::string& category,
                                    const std::vector<std::string>& needs = {}) {
        Cartridge cartridge;
        cartridge.name = name;
        cartridge.short_name = name;
        cartridge.version = version;
        cartridge.display_name = name + " " + version;
        cartridge.description = "The " + name + " cartridge";
        cartridge.categories = {category == "database" ? "service" : category, category};
        cartridge.provides = {name, name + "-" + version};
        cartridge.requires_features = needs;
        return cartridge;
    }
    Gear& known(const GearId& gear) {
        const auto found = gears_.find(gear);
        if (found == gears_.end()) {
            fail(ErrorKind::not_found, "no gear '", gear.text(), "'");
        }
        return found->second;
    }
    template <typename Body>
    void act(const std::string& name, Body body) {
        if (before) {
            before(name);
        }
        {
            const std::lock_guard lock(mutex_);
            calls_.push_back(name);
            body();
        }
        if (after) {
            after(name);
        }
    }

    mutable std::mutex mutex_;
    std::map<GearId, Gear> gears_;
    std::map<std::string, std::string> certificates_;
    std::vector<std::string> calls_;
};

}  // namespace gearbox::test
