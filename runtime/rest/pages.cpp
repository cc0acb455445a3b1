#include "rest/pages.h"

#include "base/error.h"
#include "base/file.h"
#include "base/settings.h"
#include "broker/quickstarts.h"
#include "rest/api_doc.h"
#include "rest/dispatcher.h"

#include <filesystem>

namespace gearbox::rest {

namespace {

constexpr const char* style =
    "<style>body{font:16px/1.5 system-ui,sans-serif;max-width:44rem;margin:4rem auto;padding:0 1rem}"
    "code,pre{background:#eee;padding:.1rem .3rem;border-radius:.2rem}pre{padding:.8rem;overflow:auto}"
    "</style>\n";

HttpResponse make_html(const std::string& title, const std::string& body) {
    HttpResponse response;
    response.content_type = "text/html; charset=utf-8";
    response.body = str("<!DOCTYPE html>\n<html lang=\"en\"><meta charset=\"utf-8\"><title>", title,
                        "</title>\n", style, "<h1>", title, "</h1>\n", body, "</html>\n");
    return response;
}

HttpResponse make_landing(const Settings&) {
    return make_html(
        "Gearbox",
        "<p>A platform for web applications, speaking the OpenShift v2 protocol.</p>\n"
        "<ul><li>REST entry point: <a href=\"/broker/rest/api\"><code>/broker/rest/api</code></a></li>\n"
        "<li><a href=\"/client/\">The client</a> to download</li>\n"
        "<li>Certificate authority of this host: <a href=\"/client/ca.crt\"><code>ca.crt</code></a></li>\n"
        "<li>Begin with <code>gearbox setup</code>, or <code>rhc setup</code>.</li></ul>\n");
}

constexpr const char* bundle = "gearbox-linux-amd64.tar.gz";

HttpResponse make_client_page(const Settings& settings) {
    const auto sum = find_file(settings.rest.client_dir + "/" + bundle + ".sha256");
    std::string body = str(
        "<p>For any x86-64 Linux from kernel 3.2 on; it brings every library that it uses.</p>\n"
        "<pre>curl -kO https://HOST/client/", bundle, "\ntar xzf ", bundle,
        "\n./gearbox/gearbox setup --server HOST</pre>\n"
        "<p><a href=\"", bundle, "\"><code>", bundle, "</code></a></p>\n");
    if (sum) {
        body += str("<p>SHA-256: <code>", sum->substr(0, 64), "</code></p>\n");
    } else {
        body = "<p>This host has no client to download: it was installed without one.</p>\n";
    }
    return make_html("The gearbox client", body);
}

HttpResponse make_file(const std::string& path, const char* type) {
    HttpResponse response;
    response.content_type = type;
    response.file = path;
    return response;
}

HttpResponse make_bundle(const Settings& settings) {
    return make_file(settings.rest.client_dir + "/" + bundle, "application/gzip");
}

HttpResponse make_bundle_sum(const Settings& settings) {
    return make_file(settings.rest.client_dir + "/" + bundle + ".sha256", "text/plain; charset=utf-8");
}

HttpResponse make_authority(const Settings& settings) {
    return make_file(settings.paths.state_dir + "/tls/ca.crt", "application/x-x509-ca-cert");
}

HttpResponse make_description(const Settings&) {
    HttpResponse response;
    response.body = to_text(make_openapi());
    return response;
}

// What is drawn by whoever has put the quickstart there; opened by itself it may still do nothing.
HttpResponse make_picture(const std::string& name, const Settings& settings) {
    const std::filesystem::path file = std::filesystem::path(settings.node.quickstart_dir) / name / "quickstart.toml";
    HttpResponse response;
    try {
        const auto text = find_file(file);
        response = make_file(text ? parse_quickstart(*text, file).picture : "", "image/svg+xml");
    } catch (const Error&) {
        return Dispatcher::refuse_early(404);  // the list of quickstarts has told the log why
    }
    response.headers = {{"Content-Security-Policy", "default-src 'none'; style-src 'unsafe-inline'; sandbox"},
                        {"X-Content-Type-Options", "nosniff"},
                        {"Cache-Control", "public, max-age=3600"}};
    return response;
}

// NAME of /broker/quickstarts/NAME.svg, a plain name of a directory; "" for other paths.
std::string picture_name(const std::string& path) {
    constexpr std::string_view begin = "/broker/quickstarts/";
    constexpr std::string_view end = ".svg";
    if (!path.starts_with(begin) || !path.ends_with(end) || path.size() <= begin.size() + end.size()) {
        return "";
    }
    const std::string name = path.substr(begin.size(), path.size() - begin.size() - end.size());
    return is_plain_name(name) ? name : "";
}

// What has no body of its own is sent from a file, which must be there.
HttpResponse or_nothing(HttpResponse response) {
    std::error_code absent;
    const bool is_missing = response.body.empty() && !std::filesystem::is_regular_file(response.file, absent);
    return is_missing ? Dispatcher::refuse_early(404) : std::move(response);
}

struct Page {
    const char* path;
    HttpResponse (*make)(const Settings&);
};

constexpr Page pages[] = {
    {"/", make_landing},
    {"/broker", make_landing},
    {"/broker/", make_landing},
    {"/broker/rest/openapi.json", make_description},
    {"/client", make_client_page},
    {"/client/", make_client_page},
    {"/client/ca.crt", make_authority},
    {"/client/gearbox-linux-amd64.tar.gz", make_bundle},
    {"/client/gearbox-linux-amd64.tar.gz.sha256", make_bundle_sum},
};

}  // namespace

std::optional<HttpResponse> find_page(const HttpRequest& request, const Settings& settings) {
    if (request.method != "GET" && request.method != "HEAD") {
        return std::nullopt;
    }
    for (const Page& page : pages) {
        if (request.path == page.path) {
            return or_nothing(page.make(settings));
        }
    }
    if (const std::string name = picture_name(request.path); !name.empty()) {
        return or_nothing(make_picture(name, settings));
    }
    return std::nullopt;
}

}  // namespace gearbox::rest
