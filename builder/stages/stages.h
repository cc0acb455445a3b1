// The run functions of the stage table, one source file a group.
#pragma once
#include "stage.h"

namespace gearbox::builder::stages {

void run_root_tree(StageContext& context);
void run_policy(StageContext& context);
void run_deb(StageContext& context);
void run_settings(StageContext& context);
void run_overlay(StageContext& context);
void run_services(StageContext& context);
void run_pre(StageContext& context);
void run_post(StageContext& context);
void run_normalise(StageContext& context);
void run_labels(StageContext& context);
void run_squashfs(StageContext& context);
void run_initramfs(StageContext& context);
void run_iso(StageContext& context);

/// Replaces the file, making its folders.
void put_file(const std::filesystem::path& path, const std::string& text, int mode = 0644);

/// Runs a program of the tree, in the tree. Throws what Tools::run does.
void in_tree(StageContext& context, std::vector<std::string> argv);

/// The one entry of the folder whose name starts with prefix. Throws Error(not_found).
std::filesystem::path only_file(const std::filesystem::path& folder, const std::string& prefix);

}  // namespace gearbox::builder::stages
