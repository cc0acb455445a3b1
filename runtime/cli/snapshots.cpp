// snapshot save, snapshot restore.
#include "cli/target.h"

#include <filesystem>
#include <memory>

namespace gearbox::cli {

namespace {

struct SnapshotArguments {
    Target target;
    std::string file;
    bool deployment = false;
};

std::shared_ptr<SnapshotArguments> add_snapshot_arguments(CLI::App& parser) {
    const auto arguments = std::make_shared<SnapshotArguments>();
    add_target(parser, arguments->target);
    parser.add_option("-f,--filepath", arguments->file, "the archive (default: NAME.tar.gz)");
    return arguments;
}

std::string file_of(const SnapshotArguments& arguments) {
    return arguments.file.empty() ? arguments.target.name + ".tar.gz" : arguments.file;
}

}  // namespace

Runner declare_snapshot_save(CLI::App& parser) {
    const auto arguments = add_snapshot_arguments(parser);
    parser.add_flag("--deployment", arguments->deployment, "only what is deployed, for 'deploy FILE'");
    return [arguments](Session& session) {
        const Json application = application_of(session, arguments->target);
        std::vector<std::string> argv = ssh_command(session, application);
        argv.emplace_back(arguments->deployment ? "gear archive-deployment" : "snapshot");
        const std::string file = file_of(*arguments);
        // Under another name until it is whole.
        const std::string part = file + ".part";
        if (session.world().run(argv, {"", part}) != 0) {
            std::filesystem::remove(part);
            throw ExitError(exit_status::snapshot_failed, "the snapshot could not be saved");
        }
        std::filesystem::rename(part, file);
        if (!session.print_json({{"file", file}})) {
            session.terminal().line(str("saved in '", file, "'"));
        }
        return 0;
    };
}

Runner declare_snapshot_restore(CLI::App& parser) {
    const auto arguments = add_snapshot_arguments(parser);
    return [arguments](Session& session) {
        const std::string file = file_of(*arguments);
        if (!std::filesystem::is_regular_file(file)) {
            fail(ErrorKind::not_found, "there is no file '", file, "'");
        }
        const Json application = application_of(session, arguments->target);
        std::vector<std::string> argv = ssh_command(session, application);
        argv.emplace_back("restore INCLUDE_GIT");
        if (session.world().run(argv, {file, ""}) != 0) {
            throw ExitError(exit_status::snapshot_failed, "the snapshot could not be restored");
        }
        if (!session.print_json(Json::object())) {
            session.terminal().line(str("'", arguments->target.name, "' restored from '", file, "'"));
        }
        return 0;
    };
}

}  // namespace gearbox::cli
