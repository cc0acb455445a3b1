#include "manifest.h"

#include "formats.h"
#include "hash.h"

#include "base/clock.h"
#include "base/error.h"
#include "base/file.h"
#include "base/percent.h"

#include <algorithm>
#include <cctype>
#include <map>
#include <sstream>

namespace gearbox::builder {

namespace fs = std::filesystem;

namespace {

// "Package", "Version", … of one paragraph; continuation lines are of no interest.
using Fields = std::map<std::string, std::string>;

void take_paragraph(Fields& fields, std::vector<InstalledPackage>& packages) {
    if (fields["Status"].ends_with(" installed")) {
        InstalledPackage package{fields["Package"], fields["Version"], fields["Architecture"],
                                 fields["Source"], fields["Version"]};
        const auto open = package.source.find(" (");
        if (open != std::string::npos) {
            package.source_version =
                package.source.substr(open + 2, package.source.size() - open - 3);
            package.source.resize(open);
        }
        if (package.source.empty()) {
            package.source = package.name;
        }
        packages.push_back(std::move(package));
    }
    fields.clear();
}

// SPDX identifiers have letters, digits, '.' and '-'.
std::string spdx_id(const std::string& text) {
    std::string out = "SPDXRef-";
    for (const char c : text) {
        const bool good = std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '.' || c == '-';
        out += good ? std::string(1, c) : c == '+' ? "-plus-" : "-";
    }
    return out;
}

Json spdx_package(const std::string& id, const std::string& name, const std::string& version) {
    return {{"SPDXID", id},
            {"name", name},
            {"versionInfo", version},
            {"downloadLocation", "NOASSERTION"},
            {"filesAnalyzed", false},
            {"licenseConcluded", "NOASSERTION"},
            {"licenseDeclared", "NOASSERTION"},
            {"copyrightText", "NOASSERTION"}};
}

}  // namespace

std::vector<InstalledPackage> parse_dpkg_status(const std::string& text) {
    std::vector<InstalledPackage> packages;
    Fields fields;
    std::istringstream in(text + "\n\n");
    for (std::string line; std::getline(in, line);) {
        if (line.empty()) {
            take_paragraph(fields, packages);
            continue;
        }
        const auto colon = line.find(": ");
        if (line.front() != ' ' && colon != std::string::npos) {
            fields[line.substr(0, colon)] = line.substr(colon + 2);
        }
    }
    std::sort(packages.begin(), packages.end(),
              [](const auto& a, const auto& b) { return a.name < b.name; });
    return packages;
}

Json to_json(const std::vector<InstalledPackage>& packages) {
    Json rows = Json::array();
    for (const InstalledPackage& package : packages) {
        rows.push_back({{"name", package.name},
                        {"version", package.version},
                        {"architecture", package.architecture},
                        {"source", package.source},
                        {"source_version", package.source_version}});
    }
    return rows;
}

Json make_spdx(const SbomSubject& subject, const std::vector<InstalledPackage>& packages) {
    const std::string image = spdx_id("Image");
    Json rows = Json::array();
    Json relations = Json::array();
    Json root = spdx_package(image, subject.name, subject.version);
    root["primaryPackagePurpose"] = "OPERATING-SYSTEM";
    rows.push_back(std::move(root));
    relations.push_back({{"spdxElementId", "SPDXRef-DOCUMENT"},
                         {"relationshipType", "DESCRIBES"},
                         {"relatedSpdxElement", image}});
    for (const InstalledPackage& package : packages) {
        const std::string id = spdx_id(str("Package-", package.name, "-", package.architecture));
        Json row = spdx_package(id, package.name, package.version);
        row["sourceInfo"] = str("built from ", package.source, " ", package.source_version);
        row["externalRefs"] = Json::array(
            {{{"referenceCategory", "PACKAGE-MANAGER"},
              {"referenceType", "purl"},
              {"referenceLocator", str("pkg:deb/debian/", percent_encode(package.name), "@",
                                       percent_encode(package.version), "?arch=",
                                       package.architecture, "&distro=", subject.suite)}}});
        rows.push_back(std::move(row));
        relations.push_back({{"spdxElementId", image},
                             {"relationshipType", "CONTAINS"},
                             {"relatedSpdxElement", id}});
    }
    return {{"spdxVersion", "SPDX-2.3"},
            {"dataLicense", "CC0-1.0"},
            {"SPDXID", "SPDXRef-DOCUMENT"},
            {"name", str(subject.name, " ", subject.version)},
            {"documentNamespace", "urn:gearbox:image:" + subject.id},
            {"creationInfo",
             {{"created", iso_time(subject.epoch)},
              {"creators", {str("Tool: gearbox-build-", GEARBOX_VERSION)}}}},
            {"packages", rows},
            {"relationships", relations}};
}

std::string image_name(std::string_view title, std::string_view version) {
    std::string name;
    for (const char c : str(title, "-", version)) {
        const auto byte = static_cast<unsigned char>(c);
        const bool good = std::isalnum(byte) != 0 || c == '.' || c == '-' || c == '+' || c == '~';
        name += good ? static_cast<char>(std::tolower(byte)) : '-';
    }
    return name;
}

fs::path manifest_of_image(const fs::path& image) {
    return image.string() + ".manifest.json";
}

void write_manifest(const BuildPlan& plan, const BuildResult& result, const fs::path& packages,
                    const fs::path& manifest, const fs::path& sums) {
    Json images = Json::array();
    std::string lines;
    for (const BuiltImage& image : result.images) {
        const std::string file = fs::path(image.output).filename().string();
        images.push_back({{"format", image.format},
                          {"file", file},
                          {"bytes", image.bytes},
                          {"sha256", image.sha256},
                          {"tree", result.tree},
                          {"path", conversion_path(find_format(image.format).stage, plan)}});
        lines += str(image.sha256, "  ", file, "\n");
    }
    const std::string text = Json{{"tree", result.tree},
                                  {"images", images},
                                  {"packages", parse_json(read_file(packages / "packages.json"))}}
                                 .dump(2) +
                             "\n";
    write_file_atomically(manifest, text);
    write_file_atomically(sums,
                          str(lines, hash_text(text), "  ", manifest.filename().string(), "\n"));
}

}  // namespace gearbox::builder
