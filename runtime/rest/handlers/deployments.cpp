#include "rest/handlers/handlers.h"

#include "model/cartridge_url.h"
#include "rest/payloads.h"
#include "rest/present.h"

namespace gearbox::rest::handlers {

namespace {

DeployRequest parse_deploy(const Json& params) {
    Problems problems;
    Fields fields(params, problems);
    DeployRequest out;
    out.ref = fields.text("ref", exit_code::deployment).value_or("");
    out.hot_deploy = fields.boolean("hot_deploy").value_or(false);
    out.force_clean_build = fields.boolean("force_clean_build").value_or(false);
    out.artifact_url = fields.text("artifact_url", exit_code::deployment).value_or("");
    const std::string wrong = out.artifact_url.empty() ? "" : wrong_with_archive_url(out.artifact_url);
    if (!fields.raw("deployments").is_null()) {
        problems.add("Deployments are reported by the gears themselves, not over this interface",
                     exit_code::deployment, "deployments");
    } else if (!wrong.empty()) {
        problems.add(str("The address '", shown(public_git_url(out.artifact_url)), "' ", wrong), exit_code::deployment,
                     "artifact_url");
    } else if (!out.artifact_url.empty() && !out.ref.empty()) {
        problems.add("Give a ref or an artifact_url, not both", exit_code::deployment, "artifact_url");
    } else if (!out.ref.empty() && !is_git_ref(out.ref)) {
        problems.add(str("Invalid git ref '", shown(out.ref), "'"), exit_code::deployment, "ref");
    }
    problems.check();
    return out;
}

}  // namespace

Reply list_deployments(const Call& call) {
    Json list = Json::array();
    for (const Deployment& deployment :
         call.broker.applications.deployments(application_of(call))) {
        list.push_back(present_deployment(deployment));
    }
    return {200, "deployments", std::move(list), {}, {}};
}

Reply show_deployment(const Call& call) {
    for (const Deployment& deployment :
         call.broker.applications.deployments(application_of(call))) {
        if (deployment.id == call.part("deployment")) {
            return {200, "deployment", present_deployment(deployment), {}, {}};
        }
    }
    refuse(ErrorKind::not_found, str("Deployment '", shown(call.part("deployment")), "' not found"),
           exit_code::unspecified);
}

Reply add_deployment(const Call& call) {
    const Application application = application_of(call);
    const Deployment made =
        call.broker.applications.deploy(call.who, application, parse_deploy(call.params));
    return {201, "deployment", present_deployment(made),
            {{"info", str("Added ", made.id, " to application ", application.name.text())}}, {}};
}

}  // namespace gearbox::rest::handlers
