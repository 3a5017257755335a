#include "webhook/registry/config_reader.h"

#include <array>
#include <utility>

#include "policy/dates.h"
#include "webhook/registry/guarded_json.h"
#include "webhook/registry/manifest_reader.h"

namespace plimsoll::webhook::registry {
namespace {

namespace json = policy::json;
using policy::Fact;
using policy::ImageConfig;
using policy::ImageHealthCheck;
using policy::Unknown;
using policy::UnknownReason;

constexpr std::array<std::string_view, 10> kRootNames = {"created",
                                                         "author",
                                                         "architecture",
                                                         "os",
                                                         "os.version",
                                                         "os.features",
                                                         "variant",
                                                         "config",
                                                         "rootfs",
                                                         "history"};
constexpr std::array<std::string_view, 14> kConfigNames = {"User",
                                                           "ExposedPorts",
                                                           "Env",
                                                           "Entrypoint",
                                                           "Cmd",
                                                           "Volumes",
                                                           "WorkingDir",
                                                           "Labels",
                                                           "StopSignal",
                                                           "Healthcheck",
                                                           "Shell",
                                                           "OnBuild",
                                                           "StopTimeout",
                                                           "ArgsEscaped"};
constexpr std::array<std::string_view, 6> kHealthNames = {
    "Test", "Interval", "Timeout", "StartPeriod", "StartInterval", "Retries"};
constexpr std::array<std::string_view, 5> kHistoryNames = {
    "created", "created_by", "author", "comment", "empty_layer"};
constexpr std::array<std::string_view, 2> kRootfsNames = {"type", "diff_ids"};

// Keeps the first error and goes on: a missing value is then an empty one.
class Reading {
 public:
  template <class T>
  T take(Fact<T> value) {
    if (value) return *std::move(value);
    if (!error_) error_ = std::move(value.error());
    return T();
  }
  std::optional<Fields> fields(const std::optional<json::Object>& object,
                               std::span<const std::string_view> names) {
    if (!object) return std::nullopt;
    auto fields = Fields::of(*object, names);
    if (fields) return *fields;
    if (!error_) error_ = std::move(fields.error());
    return std::nullopt;
  }
  const std::optional<Unknown>& error() const { return error_; }

 private:
  std::optional<Unknown> error_;
};

// moby: an empty Test inherits, which at the end of a build means that there is none.
ImageHealthCheck state_of(const std::vector<std::string>& test) {
  if (test.empty()) return ImageHealthCheck::kAbsent;
  if (test.front() == "NONE") return ImageHealthCheck::kDisabled;
  const bool command = test.front() == "CMD" || test.front() == "CMD-SHELL";
  return command && test.size() > 1 && !test[1].empty() ? ImageHealthCheck::kPresent
                                                        : ImageHealthCheck::kAbsent;
}

void read_execution(const Fields& fields,
                    bool docker_format,
                    Reading& reading,
                    ImageConfig& config) {
  config.user = reading.take(fields.text("User"));
  config.labels = reading.take(fields.map("Labels", kMaxLabels));
  config.entrypoint = reading.take(fields.texts("Entrypoint", kMaxVariables));
  config.command = reading.take(fields.texts("Cmd", kMaxVariables));
  for (std::string& variable : reading.take(fields.texts("Env", kMaxVariables))) {
    const std::size_t equals = variable.find('=');
    if (equals == std::string::npos) {
      config.env.emplace_back(std::move(variable), "");
    } else {
      config.env.emplace_back(variable.substr(0, equals), variable.substr(equals + 1));
    }
  }
  const auto health = reading.fields(reading.take(fields.object("Healthcheck")), kHealthNames);
  if (health) config.health_check = state_of(reading.take(health->texts("Test", kMaxVariables)));
  const bool dropped = !health && !docker_format &&
                       policy::find_value(config.labels, "io.buildah.version").has_value();
  if (dropped) config.health_check = ImageHealthCheck::kDropped;
}

void read_history(const json::Array& list, Reading& reading, ImageConfig& config) {
  for (const json::Element element : list) {
    if (config.history.size() == kMaxHistory) {
      reading.take<bool>(
          std::unexpected(Unknown{UnknownReason::kTooLarge, "more than 4,096 history entries"}));
      return;
    }
    const auto object = json::as_object(element);
    if (!object) {
      reading.take<bool>(std::unexpected(
          Unknown{UnknownReason::kInvalidContent, "history is no list of objects"}));
      return;
    }
    const auto fields = reading.fields(object, kHistoryNames);
    if (!fields) return;
    config.history.push_back({reading.take(fields->text("created_by")),
                              reading.take(fields->text("comment")),
                              reading.take(fields->flag("empty_layer"))});
  }
}

}  // namespace

Fact<ImageConfig> read_config(std::string_view bytes, bool docker_format) {
  if (bytes.size() > kMaxConfigBytes) {
    return std::unexpected(Unknown{UnknownReason::kTooLarge, "its configuration"});
  }
  GuardedJson document;
  const auto object = document.parse(bytes);
  if (!object) return std::unexpected(object.error());
  Reading reading;
  ImageConfig config;
  const auto root = reading.fields(*object, kRootNames);
  if (!root) return std::unexpected(*reading.error());
  config.platform = {reading.take(root->text("os")),
                     reading.take(root->text("architecture")),
                     reading.take(root->text("variant")),
                     reading.take(root->text("os.version"))};
  policy::normalise(config.platform);
  config.created = policy::parse_time(reading.take(root->text("created")));
  const auto execution = reading.fields(reading.take(root->object("config")), kConfigNames);
  if (execution) read_execution(*execution, docker_format, reading, config);
  const auto rootfs = reading.fields(reading.take(root->object("rootfs")), kRootfsNames);
  if (rootfs) config.diff_ids = reading.take(rootfs->texts("diff_ids", kMaxLayers));
  const auto history = reading.take(root->array("history"));
  if (history) read_history(*history, reading, config);
  if (reading.error()) return std::unexpected(*reading.error());
  return config;
}

}  // namespace plimsoll::webhook::registry
