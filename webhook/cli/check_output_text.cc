#include <algorithm>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include <fmt/format.h>

#include "policy/printable.h"
#include "webhook/cli/check_report.h"

namespace plimsoll::webhook::cli {
namespace {

using policy::Action;
using policy::Verdict;

constexpr std::string_view kBold = "\x1b[1m";
constexpr std::string_view kRed = "\x1b[31m";
constexpr std::string_view kYellow = "\x1b[33m";
constexpr std::string_view kDim = "\x1b[2m";
constexpr std::string_view kPlain = "\x1b[0m";

std::string_view word_of(Action action) {
  return action == Action::kEnforce ? "deny" : policy::action_word(action);
}

std::string_view word_of(Verdict verdict) {
  switch (verdict) {
    case Verdict::kDeny:
      return "denied";
    case Verdict::kWarn:
      return "warned";
    case Verdict::kAllow:
      break;
  }
  return "allowed";
}

std::string_view colour_of(Action action) {
  if (action == Action::kEnforce) return kRed;
  return action == Action::kWarn ? kYellow : kDim;
}

std::string shown_file(const CheckedObject& object) {
  return object.file == "-" ? "stdin" : policy::printable(object.file, 1024);
}

class TextWriter {
 public:
  explicit TextWriter(bool colour) : colour_(colour) {}

  void object(const CheckedObject& object) {
    text_ += painted(kBold, title(object));
    if (!object.source.empty()) {
      text_ += fmt::format(" ({})", policy::printable(object.source, 1024));
    }
    text_ += fmt::format(": {}\n", word_of(object.verdict));
    for (const CheckedFinding& one : object.findings) finding(object, one);
    text_ += '\n';
  }

  // Rules that could not be applied are told: their silence is no consent.
  void not_applied(const CheckReport& report) {
    std::set<std::string> rules;
    for (const CheckedObject& object : report.objects) {
      rules.insert(object.not_looked_up.begin(), object.not_looked_up.end());
    }
    if (rules.empty()) return;
    std::string list;
    for (const std::string& rule : rules) list += (list.empty() ? "" : ", ") + rule;
    text_ += report.looks_images_up
                 ? fmt::format("not looked up where the object is denied already: {}\n", list)
                 : fmt::format("not applied without --images: {}\n", list);
  }

  void summary(const CheckReport& report) {
    text_ += fmt::format("{} {}: {} denied, {} warned, {} allowed, {} skipped, {} unreadable\n",
                         report.total(),
                         report.total() == 1 ? "object" : "objects",
                         report.denied,
                         report.warned,
                         report.allowed,
                         report.skipped,
                         report.unreadable);
  }

  std::string take() { return std::move(text_); }

 private:
  std::string painted(std::string_view colour, std::string_view text) const {
    return colour_ ? fmt::format("{}{}{}", colour, text, kPlain) : std::string(text);
  }

  static std::string title(const CheckedObject& object) {
    const std::string name = object.name.empty() ? "(no name)" : policy::printable(object.name);
    return fmt::format(
        "{} {}/{}", policy::printable(object.kind), policy::printable(object.name_space), name);
  }

  // Further lines of the finding are indented below its first one.
  void finding(const CheckedObject& object, const CheckedFinding& finding) {
    text_ += fmt::format("  {}:{}:{}: {}: ",
                         shown_file(object),
                         finding.position.line,
                         finding.position.column,
                         painted(colour_of(finding.action),
                                 fmt::format("{} {}", word_of(finding.action), finding.rule)));
    for (const char c : finding.text) {
      text_ += c;
      if (c == '\n') text_ += "  ";
    }
    text_ += '\n';
    if (finding.exception) exception(*finding.exception);
  }

  void exception(const ExceptionNote& note) {
    const std::string owner = policy::printable(note.owner);
    const std::string reason = policy::printable(note.reason, 1024);
    text_ +=
        note.expired
            ? fmt::format("    note: the exception of {} ({}) expired after {}\n",
                          owner,
                          reason,
                          note.expires)
            : fmt::format("    note: excepted until {} by {}: {}\n", note.expires, owner, reason);
  }

  bool colour_;
  std::string text_;
};

}  // namespace

std::string report_as_text(const CheckReport& report, bool colour) {
  TextWriter writer(colour);
  for (const Verdict verdict : {Verdict::kDeny, Verdict::kWarn, Verdict::kAllow}) {
    for (const CheckedObject& object : report.objects) {
      if (object.verdict == verdict && !object.findings.empty()) writer.object(object);
    }
  }
  writer.not_applied(report);
  writer.summary(report);
  return writer.take();
}

}  // namespace plimsoll::webhook::cli
