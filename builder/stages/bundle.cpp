// What is put around a disk or a tree: virtual machines, Vagrant boxes, archives, container images,
// lists of what is inside.
#include "disk_layout.h"
#include "hash.h"
#include "manifest.h"
#include "ovf.h"
#include "stages/stages.h"
#include "tar_archive.h"
#include "vagrant.h"

#include "base/clock.h"
#include "base/file.h"

namespace gearbox::builder::stages {

namespace fs = std::filesystem;

namespace {

std::string text_of(const StageContext& context, const char* key) {
    return context.options.at(key).get<std::string>();
}

VirtualMachine describe(const StageContext& context, const fs::path& vmdk,
                        const std::string& file) {
    VirtualMachine machine;
    machine.name = image_name(text_of(context, "title"), text_of(context, "version"));
    machine.product = text_of(context, "title");
    machine.version = text_of(context, "version");
    machine.disk = file;
    machine.disk_bytes = fs::file_size(vmdk);
    machine.capacity_bytes =
        make_disk_layout(context.options.at("disk_size").get<int>()).sectors * sector_bytes;
    machine.disk_uuid = read_file(vmdk.parent_path() / "uuid");
    machine.machine_uuid = make_uuid(context.id, "machine");
    return machine;
}

}  // namespace

// The order is that of DSP0243: description, manifest, disks.
void run_ova(StageContext& context) {
    const fs::path vmdk = context.artifacts.at("vmdk") / "disk.vmdk";
    VirtualMachine machine = describe(context, vmdk, "");
    machine.disk = machine.name + "-disk1.vmdk";
    const std::string ovf = make_ovf(machine);
    const std::string description = machine.name + ".ovf";
    TarArchive ova(context.out / "machine.ova", epoch_of(context));
    ova.text(description, ovf);
    ova.text(machine.name + ".mf", manifest_line(description, hash_text(ovf)) +
                                       manifest_line(machine.disk, hash_file(vmdk)));
    ova.file(machine.disk, vmdk);
    ova.close();
}

// Compressed disks: packing the box again would only cost time.
void run_vagrant_virtualbox(StageContext& context) {
    const fs::path vmdk = context.artifacts.at("vagrant-vmdk") / "disk.vmdk";
    VirtualMachine machine = describe(context, vmdk, "box-disk1.vmdk");
    machine.mac = vagrant_mac;
    TarArchive box(context.out / "virtualbox.box", epoch_of(context));
    box.text("metadata.json", virtualbox_metadata());
    box.text("Vagrantfile", box_vagrantfile());
    box.text("box.ovf", make_ovf(machine));
    box.file(machine.disk, vmdk);
    box.close();
}

void run_vagrant_libvirt(StageContext& context) {
    const int mebibytes = context.options.at("disk_size").get<int>();
    TarArchive box(context.out / "libvirt.box", epoch_of(context));
    box.text("metadata.json", libvirt_metadata((mebibytes + 1023) / 1024));
    box.text("Vagrantfile", box_vagrantfile());
    box.file("box.img", context.artifacts.at("vagrant-qcow2") / "disk.qcow2");
    box.close();
}

// Numbers for owners, labels and capabilities as extended attributes, no time but the file's own.
void run_tar(StageContext& context) {
    ToolCall call;
    call.argv = {"tar",
                 "--create",
                 "--file",
                 (context.out / "root.tar.zst").string(),
                 "--directory",
                 context.tree.string(),
                 "--use-compress-program=zstd -T2 -9",
                 "--format=posix",
                 "--pax-option=exthdr.name=%d/PaxHeaders/%f,delete=atime,delete=ctime",
                 "--sort=name",
                 "--numeric-owner",
                 "--xattrs",
                 "--xattrs-include=*",
                 str("--mtime=@", epoch_of(context)),
                 "--clamp-mtime"};
    for (const char* point : {"proc", "sys", "dev", "run", "tmp"}) {
        call.argv.push_back(str("--exclude=./", point, "/*"));
    }
    call.argv.emplace_back(".");
    context.progress(-1, "packing");
    context.tools.run(call);
    std::string hash;
    ToolCall sum;
    sum.argv = {"sh", "-c", "zstd -dc \"$1\" | sha256sum", "sh",
                (context.out / "root.tar.zst").string()};
    sum.on_line = [&hash](std::string_view line) {
        hash = std::string(line.substr(0, line.find(' ')));
        return true;
    };
    context.tools.run(sum);
    put_file(context.out / "unpacked.sha256", hash);
}

namespace {

Json descriptor(const char* type, const std::string& sha256, std::uintmax_t bytes) {
    return {{"mediaType", type}, {"digest", "sha256:" + sha256}, {"size", bytes}};
}

}  // namespace

// One layer, and systemd in it. The image layout of the OCI image specification 1.1, in a tar.
void run_oci(StageContext& context) {
    const fs::path layer = context.artifacts.at("tar") / "root.tar.zst";
    const std::string layer_hash = hash_file(layer);
    const std::string created = iso_time(epoch_of(context));
    const std::string config = Json{
        {"architecture", "amd64"},
        {"os", "linux"},
        {"created", created},
        {"config",
         {{"Cmd", {"/sbin/init"}},
          {"Env",
           {"PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", "container=oci"}},
          {"ExposedPorts",
           {{"22/tcp", Json::object()}, {"80/tcp", Json::object()}, {"443/tcp", Json::object()}}},
          {"StopSignal", "SIGRTMIN+3"}}},
        {"rootfs",
         {{"type", "layers"},
          {"diff_ids",
           Json::array({"sha256:" + read_file(context.artifacts.at("tar") / "unpacked.sha256")})}}},
        {"history",
         {{{"created", created},
           {"created_by",
            "gearbox-build"}}}}}.dump();
    const std::string manifest =
        Json{{"schemaVersion", 2},
             {"mediaType", "application/vnd.oci.image.manifest.v1+json"},
             {"config", descriptor("application/vnd.oci.image.config.v1+json", hash_text(config),
                                   config.size())},
             {"layers", Json::array({descriptor("application/vnd.oci.image.layer.v1.tar+zstd",
                                                layer_hash, fs::file_size(layer))})}}
            .dump();
    Json entry = descriptor("application/vnd.oci.image.manifest.v1+json", hash_text(manifest),
                            manifest.size());
    entry["annotations"] = {{"org.opencontainers.image.ref.name", text_of(context, "version")}};
    const std::string index = Json{
        {"schemaVersion", 2},
        {"mediaType", "application/vnd.oci.image.index.v1+json"},
        {"manifests",
         Json::array({entry})}}.dump();
    TarArchive image(context.out / "image.oci.tar", epoch_of(context));
    image.text("oci-layout", R"({"imageLayoutVersion":"1.0.0"})");
    image.text("index.json", index);
    image.text("blobs/sha256/" + hash_text(manifest), manifest);
    image.text("blobs/sha256/" + hash_text(config), config);
    image.file("blobs/sha256/" + layer_hash, layer);
    image.close();
}

void run_packages(StageContext& context) {
    const auto packages = parse_dpkg_status(read_file(context.tree / "var/lib/dpkg/status"));
    const SbomSubject subject{text_of(context, "title"), text_of(context, "version"),
                              text_of(context, "suite"), context.id, epoch_of(context)};
    put_file(context.out / "packages.json", to_json(packages).dump(2) + "\n");
    put_file(context.out / "sbom.spdx.json", make_spdx(subject, packages).dump(2) + "\n");
}

}  // namespace gearbox::builder::stages
