// The run functions of the stage table, one source file a group.
#pragma once
#include "stage.h"

namespace gearbox::builder::stages {

void run_root_tree(StageContext& context);
void run_policy(StageContext& context);
void run_deb(StageContext& context);
void run_settings(StageContext& context);
void run_own_cartridges(StageContext& context);
void run_overlay(StageContext& context);
void run_services(StageContext& context);
void run_pre(StageContext& context);
void run_post(StageContext& context);
void run_normalise(StageContext& context);
void run_labels(StageContext& context);
void run_squashfs(StageContext& context);
void run_initramfs(StageContext& context);
void run_iso(StageContext& context);
void run_raw(StageContext& context);
void run_qcow2(StageContext& context);
void run_vmdk(StageContext& context);
void run_vdi(StageContext& context);
void run_ova(StageContext& context);
void run_vagrant_disk(StageContext& context);
void run_vagrant_vmdk(StageContext& context);
void run_vagrant_qcow2(StageContext& context);
void run_vagrant_virtualbox(StageContext& context);
void run_vagrant_libvirt(StageContext& context);
void run_tar(StageContext& context);
void run_oci(StageContext& context);
void run_packages(StageContext& context);

/// Replaces the file, making its folders.
void put_file(const std::filesystem::path& path, const std::string& text, int mode = 0644);

/// No file of an image is newer, in seconds since 1970.
std::int64_t epoch_of(const StageContext& context);

/// Access and modification time, in seconds since 1970; of a link, not of what it leads to.
void set_time(const std::filesystem::path& path, std::int64_t seconds);

/// Runs a program of the tree, in the tree. Throws what Tools::run does.
void in_tree(StageContext& context, std::vector<std::string> argv);

/// The one entry of the folder whose name starts with prefix. Throws Error(not_found).
std::filesystem::path only_file(const std::filesystem::path& folder, const std::string& prefix);

}  // namespace gearbox::builder::stages
