#include <chrono>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <CLI/CLI.hpp>
#include <fmt/format.h>

#include "webhook/cli/check_input.h"
#include "webhook/cli/check_report.h"
#include "webhook/cli/commands.h"
#include "webhook/cli/image_source.h"
#include "webhook/cli/object_judge.h"
#include "webhook/cli/terminal.h"
#include "webhook/documents/input_files.h"
#include "webhook/policy_sources/policy_loader.h"

namespace plimsoll::webhook::cli {
namespace {

using policy::Mode;

struct CheckOptions {
  std::vector<std::string> policies;
  std::string mode = "enforce";
  std::string fail_on = "deny";
  std::string namespaces;
  std::string name_space = "default";
  std::string output = "text";
  std::vector<std::string> inputs;
  bool images = false;
  ImageSourceFlags source;
};

Mode mode_of(std::string_view word) {
  if (word == "audit") return Mode::kAudit;
  return word == "warn" ? Mode::kWarn : Mode::kEnforce;
}

// One run: from the paths to the exit code.
class Check {
 public:
  explicit Check(const CheckOptions& options) : options_(options) {}

  int run() {
    const auto policies = policy_sources::load_policies(options_.policies);
    if (!policies) {
      for (const std::string& line : policies.error()) complain(line);
      return kExitUsage;
    }
    if (!open_images()) return kExitUsage;
    list_inputs();
    if (!read_namespaces(*policies)) return kExitUsage;
    if (!judge_all(*policies)) return kExitUsage;
    return finish();
  }

 private:
  // False: registries or reports cannot be read.
  bool open_images() {
    report_.looks_images_up = options_.images;
    if (!options_.images) return true;
    auto source = ImageSource::make(options_.source, {});
    if (source) {
      images_ = *std::move(source);
      return true;
    }
    for (const std::string& line : source.error()) complain("plimsoll check: " + line);
    return false;
  }

  void list_inputs() {
    for (const std::string& input : options_.inputs) {
      documents::InputFiles found = documents::list_files(input);
      for (std::string& path : found.paths) files_.push_back(std::move(path));
      for (const std::string& problem : found.problems) {
        complain(problem);
        ++report_.unreadable;
      }
    }
  }

  // False: --namespaces cannot be read.
  bool read_namespaces(const policy::PolicySet& policies) {
    const auto add = [this](const InputObject& input) { namespaces_.add(input.object); };
    if (needs_namespace_objects(policies)) {
      for (const std::string& file : files_) reader_.walk(file, false, add);
    }
    return options_.namespaces.empty() || reader_.walk(options_.namespaces, true, add) == 0;
  }

  // False: what a policy asks for cannot be known.
  bool judge_all(const policy::PolicySet& policies) {
    ObjectJudge judge(
        policies, namespaces_, mode_of(options_.mode), options_.name_space, images_.get());
    const auto now = std::chrono::floor<std::chrono::seconds>(std::chrono::system_clock::now());
    const auto visit = [this, &judge, now](const InputObject& input) {
      if (stopped_) return;
      auto object = judge.judge(input, now);
      if (object) {
        count(*object);
        report_.objects.push_back(*std::move(object));
      } else {
        refused(input, object.error());
      }
    };
    for (const std::string& file : files_) {
      report_.unreadable += reader_.walk(file, true, visit);
      if (stopped_) return false;
    }
    return true;
  }

  void count(const CheckedObject& object) {
    switch (object.verdict) {
      case policy::Verdict::kDeny:
        ++report_.denied;
        break;
      case policy::Verdict::kWarn:
        ++report_.warned;
        break;
      case policy::Verdict::kAllow:
        ++report_.allowed;
        break;
    }
  }

  void refused(const InputObject& input, const ObjectJudge::Refused& refused) {
    const documents::Position at = input.document.positions.of_value(input.pointer);
    if (!refused.message.empty()) {
      complain(fmt::format("{}:{}:{}: {}",
                           input.file == "-" ? "stdin" : input.file,
                           at.line,
                           at.column,
                           refused.message));
    }
    switch (refused.refusal) {
      case ObjectJudge::Refusal::kNoPods:
      case ObjectJudge::Refusal::kNoKind:
        ++report_.skipped;
        break;
      case ObjectJudge::Refusal::kTooLarge:
        ++report_.unreadable;
        break;
      case ObjectJudge::Refusal::kNamespaceUnknown:
        stopped_ = true;
        break;
    }
  }

  int finish() {
    const bool nothing = report_.total() == 0 && report_.unreadable == 0;
    if (nothing) complain("plimsoll: nothing to check: no objects in the input");
    const bool as_json = options_.output == "json";
    if (!print(as_json ? report_as_json(report_) : report_as_text(report_, wants_colour()))) {
      return kExitUnreadable;
    }
    if (report_.unreadable > 0) return kExitUnreadable;
    const bool failed = report_.denied > 0 || (options_.fail_on == "warn" && report_.warned > 0);
    return failed ? kExitFailed : kExitFine;
  }

  const CheckOptions& options_;
  std::vector<std::string> files_;
  InputReader reader_;
  NamespaceLabels namespaces_;
  CheckReport report_;
  std::unique_ptr<ImageSource> images_;
  bool stopped_ = false;
};

constexpr const char* kFooter = R"(Examples:
  plimsoll check deploy/                          every *.yaml, *.yml, *.json below deploy/
  helm template web ./chart | plimsoll check -    what a chart would install
  kustomize build overlays/prod | plimsoll check -n prod --policy policies/ -
  plimsoll check --images --registries registries.yaml deploy/
  plimsoll check --output json --fail-on warn manifests/ > report.json

Exit codes:
  0  nothing reached --fail-on      2  wrong usage, or a policy that is wrong
  1  something did                  3  some input could not be read (the rest was judged)

Results go to standard output, everything else to standard error. NO_COLOR is honoured.
Verdicts are those of the admission webhook for a CREATE with the same policies.)";

// The words are in the option's type name already: without a description help shows them once.
CLI::Validator one_of(std::vector<std::string> words) {
  return CLI::Validator(CLI::IsMember(std::move(words))).description("");
}

}  // namespace

void add_check(CLI::App& app, int& exit_code) {
  const auto options = std::make_shared<CheckOptions>();
  CLI::App* check = app.add_subcommand("check", "Judge manifests, as the webhook would");
  check
      ->add_option("--policy",
                   options->policies,
                   "Policy file or directory; may be repeated (default: the built-in policy, see "
                   "`plimsoll policy show`)")
      ->type_name("PATH")
      ->allow_extra_args(false);
  check->add_option("--mode", options->mode, "Cap every action")
      ->type_name("enforce|warn|audit")
      ->check(one_of({"enforce", "warn", "audit"}))
      ->capture_default_str();
  check->add_option("--fail-on", options->fail_on, "Exit with 1 on: deny, or warn and deny")
      ->type_name("deny|warn")
      ->check(one_of({"deny", "warn"}))
      ->capture_default_str();
  check
      ->add_option("--namespaces",
                   options->namespaces,
                   "File with Namespace objects (kubectl get namespaces -o yaml), for policies "
                   "with a namespaceSelector")
      ->type_name("FILE");
  check->add_option("-n,--namespace", options->name_space, "Namespace of objects that name none")
      ->type_name("NS")
      ->capture_default_str();
  check->add_option("-o,--output", options->output, "Form of the results")
      ->type_name("text|json")
      ->check(one_of({"text", "json"}))
      ->capture_default_str();
  check->add_flag("--images",
                  options->images,
                  "Look images up in their registries and apply the rules about them, too");
  add_image_source_flags(*check, options->source);
  check->add_option("inputs", options->inputs, "Files, directories, or - for standard input")
      ->type_name("FILE|DIR|-");
  check->footer(kFooter);
  check->callback([options, &exit_code] {
    if (options->inputs.empty()) {
      complain("plimsoll check: name files or directories, or - for standard input");
      exit_code = kExitUsage;
    } else {
      exit_code = Check(*options).run();
    }
  });
}

}  // namespace plimsoll::webhook::cli
