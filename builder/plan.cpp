#include "plan.h"

#include "formats.h"
#include "hash.h"
#include "stage.h"

#include "base/error.h"

#include <algorithm>

namespace gearbox::builder {

namespace {

std::string make_id(const Stage& stage, const StageStep& step, const BuildPlan& plan) {
    Json parents = Json::array();
    for (const std::string& name : step.after) {
        parents.push_back(plan.step(name).id);
    }
    const Json content{{"stage", step.stage},
                       {"version", stage.version},
                       {"options", step.options},
                       {"inputs", step.inputs},
                       {"after", parents}};
    return hash_text(to_text(content));
}

// Named by the stage, or, for a layer, the layer that it is put on.
std::vector<std::string> parents_of(const Stage& stage, const BuildPlan& plan) {
    if (!stage.after.empty() || stage.kind != StageKind::layer) {
        return stage.after;
    }
    for (auto step = plan.steps.rbegin(); step != plan.steps.rend(); ++step) {
        if (step->kind == StageKind::layer) {
            return {step->stage};
        }
    }
    return {};
}

// A layer that this build leaves out stands for the one below it.
std::string find_present(const std::string& name, const std::vector<Stage>& stages,
                         const BuildPlan& plan) {
    const auto is_planned = [&plan](const std::string& wanted) {
        return std::any_of(plan.steps.begin(), plan.steps.end(),
                           [&wanted](const StageStep& step) { return step.stage == wanted; });
    };
    std::string below;
    for (const Stage& stage : stages) {
        if (stage.kind == StageKind::layer && is_planned(stage.name)) {
            below = stage.name;
        }
        if (name == stage.name) {
            return is_planned(name) ? name : below;
        }
    }
    return name;
}

std::string value_text(const Json& value) {
    if (value.is_string()) {
        const auto text = value.get<std::string>();
        const auto lines = std::count(text.begin(), text.end(), '\n');
        return lines > 1 ? str(lines, " lines") : text;
    }
    if (!value.is_array()) {
        return to_text(value);
    }
    std::string text;
    for (const Json& part : value) {
        text += (text.empty() ? "" : " ") + (part.is_object() ? to_text(part) : value_text(part));
    }
    return text.empty() ? "-" : text;
}

// "name: value", folded so that long package lists stay readable.
std::string folded(const std::string& name, const std::string& value) {
    constexpr std::size_t width = 96;
    std::string out;
    std::string line = "        " + name + ":";
    std::size_t start = 0;
    while (start < value.size()) {
        const std::size_t end = std::min(value.find(' ', start), value.size());
        const std::string word = value.substr(start, end - start);
        if (line.size() + 1 + word.size() > width && line.find_first_not_of(' ') < line.size()) {
            out += line + "\n";
            line = "           ";
        }
        line += " " + word;
        start = end + 1;
    }
    return out + line + "\n";
}

}  // namespace

const StageStep& BuildPlan::step(const std::string& stage) const {
    for (const StageStep& candidate : steps) {
        if (candidate.stage == stage) {
            return candidate;
        }
    }
    fail(ErrorKind::not_found, "the plan has no stage '", stage, "'");
}

BuildPlan make_plan(const Recipe& recipe, const Facts& facts, const std::vector<Stage>& stages) {
    BuildPlan plan{recipe.path.string(), {}, facts.formats};
    const auto needed = needed_stages(facts.formats, stages);
    for (const Stage& stage : stages) {
        if (stage.kind == StageKind::artifact && !needed.contains(stage.name)) {
            continue;
        }
        auto options = stage.options(recipe, facts);
        if (!options) {
            continue;
        }
        StageStep step{stage.name, stage.kind, stage.summary, std::move(*options), {}, {}, ""};
        for (const std::string& role : stage.inputs) {
            const auto found = facts.inputs.find(role);
            if (found == facts.inputs.end()) {
                fail(ErrorKind::invalid, "stage '", stage.name, "' needs the input '", role, "'");
            }
            step.inputs[role] = found->second;
        }
        for (const std::string& name : parents_of(stage, plan)) {
            step.after.push_back(find_present(name, stages, plan));
        }
        step.id = make_id(stage, step, plan);
        plan.steps.push_back(std::move(step));
    }
    return plan;
}

Json to_json(const BuildPlan& plan) {
    Json steps = Json::array();
    for (const StageStep& step : plan.steps) {
        steps.push_back({{"stage", step.stage},
                         {"summary", step.summary},
                         {"id", step.id},
                         {"options", step.options},
                         {"inputs", step.inputs},
                         {"after", step.after}});
    }
    Json formats = Json::array();
    for (const std::string& name : plan.formats) {
        const std::string stage = find_format(name).stage;
        formats.push_back(
            {{"format", name}, {"stage", stage}, {"path", conversion_path(stage, plan)}});
    }
    return {{"recipe", plan.recipe},
            {"tree", root_tree_id(plan)},
            {"formats", formats},
            {"stages", steps}};
}

std::string to_text(const BuildPlan& plan) {
    std::string text = str("plan of ", plan.recipe, ": ", plan.steps.size(), " stages\n");
    int number = 0;
    for (const StageStep& step : plan.steps) {
        std::string name = step.stage;
        name.resize(std::max<std::size_t>(name.size(), 12), ' ');
        text += str("\n", ++number < 10 ? " " : "", number, "  ", name, " ", step.id.substr(0, 12),
                    "  ", step.summary, "\n");
        for (const auto& [key, value] : step.options.items()) {
            text += folded(key, value_text(value));
        }
        for (const auto& [role, hash] : step.inputs) {
            text += folded("input " + role, hash.substr(0, 12));
        }
    }
    text += str("\nfrom the root tree ", root_tree_id(plan), "\n");
    for (const std::string& name : plan.formats) {
        std::string label = name;
        label.resize(std::max<std::size_t>(label.size(), 18), ' ');
        text += str("    ", label, "  ", conversion_path(find_format(name).stage, plan), "\n");
    }
    return text;
}

}  // namespace gearbox::builder
