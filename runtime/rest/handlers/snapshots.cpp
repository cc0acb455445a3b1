#include "rest/handlers/handlers.h"

namespace gearbox::rest::handlers {

Reply save_snapshot(const Call& call) {
    const Application application = application_of(call);
    Reply reply;
    reply.pieces = call.broker.applications.save_snapshot(call.who, application);
    reply.content_type = "application/gzip";
    reply.headers = {{"Content-Disposition", str("attachment; filename=\"", application.name.text(), ".tar.gz\"")}};
    return reply;
}

Reply restore_snapshot(const Call& call) {
    const Application application = application_of(call);
    call.broker.applications.restore_snapshot(call.who, application, call.upload);
    return {200, "application", present(call, application_of(call)),
            {{"info", str("Application ", application.name.text(), " is restored")}}, {}};
}

}  // namespace gearbox::rest::handlers
