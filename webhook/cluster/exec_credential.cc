#include "webhook/cluster/exec_credential.h"

#include <array>
#include <cerrno>
#include <csignal>
#include <fcntl.h>
#include <poll.h>
#include <spawn.h>
#include <sys/wait.h>
#include <thread>
#include <unistd.h>

#include "policy/dates.h"
#include "policy/json.h"

namespace plimsoll::webhook::cluster {
namespace {

namespace json = policy::json;
using policy::Error;
using policy::ErrorKind;
using policy::Result;
using SteadyTime = std::chrono::steady_clock::time_point;

std::unexpected<Error> wrong(std::string what) {
  return std::unexpected(Error{ErrorKind::kInvalidInput, std::move(what)});
}

// A pipe whose ends are closed when it goes.
class Pipe {
 public:
  Pipe() {
    if (pipe2(ends_.data(), O_CLOEXEC) != 0) ends_ = {-1, -1};
  }
  Pipe(const Pipe&) = delete;
  Pipe& operator=(const Pipe&) = delete;
  ~Pipe() {
    close_end(0);
    close_end(1);
  }
  bool is_open() const { return ends_[0] >= 0; }
  int reader() const { return ends_[0]; }
  int writer() const { return ends_[1]; }
  void close_writer() { close_end(1); }

 private:
  void close_end(std::size_t end) {
    if (ends_[end] >= 0) close(ends_[end]);
    ends_[end] = -1;
  }
  std::array<int, 2> ends_{-1, -1};
};

std::vector<char*> pointers_to(std::vector<std::string>& texts) {
  std::vector<char*> pointers;
  pointers.reserve(texts.size() + 1);
  for (std::string& text : texts) pointers.push_back(text.data());
  pointers.push_back(nullptr);
  return pointers;
}

std::vector<std::string> environment_of(const ExecCommand& command) {
  std::vector<std::string> environment;
  for (char** variable = environ; *variable != nullptr; ++variable)
    environment.emplace_back(*variable);
  for (const auto& [name, value] : command.environment) {
    environment.emplace_back(name).append("=").append(value);
  }
  environment.push_back(R"(KUBERNETES_EXEC_INFO={"kind":"ExecCredential","apiVersion":")" +
                        command.api_version + R"(","spec":{"interactive":false}})");
  return environment;
}

pid_t spawn(const ExecCommand& command, int output) {
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_addopen(&actions, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
  posix_spawn_file_actions_adddup2(&actions, output, STDOUT_FILENO);
  posix_spawn_file_actions_addopen(&actions, STDERR_FILENO, "/dev/null", O_WRONLY, 0);
  std::vector<std::string> words = {command.command};
  words.insert(words.end(), command.arguments.begin(), command.arguments.end());
  std::vector<std::string> environment = environment_of(command);
  pid_t child = -1;
  const int failed = posix_spawnp(&child,
                                  command.command.c_str(),
                                  &actions,
                                  nullptr,
                                  pointers_to(words).data(),
                                  pointers_to(environment).data());
  posix_spawn_file_actions_destroy(&actions);
  return failed == 0 ? child : -1;
}

// All that comes until the end or the deadline; false: it took too long, or was too much.
bool read_all(int descriptor, SteadyTime until, std::string& output) {
  std::array<char, 4096> piece{};
  while (output.size() <= kMaxExecOutput) {
    const auto left = std::chrono::duration_cast<std::chrono::milliseconds>(
        until - std::chrono::steady_clock::now());
    pollfd waiting{descriptor, POLLIN, 0};
    if (left.count() <= 0 || poll(&waiting, 1, static_cast<int>(left.count())) <= 0) return false;
    const ssize_t bytes = read(descriptor, piece.data(), piece.size());
    if (bytes <= 0) return bytes == 0;
    output.append(piece.data(), static_cast<std::size_t>(bytes));
  }
  return false;
}

// The status of a program that ended by itself; nothing: it did not, and was killed.
std::optional<int> wait_for(pid_t child, SteadyTime until) {
  constexpr std::chrono::milliseconds kLookAgain{5};
  int status = 0;
  while (true) {
    const pid_t ended = waitpid(child, &status, WNOHANG);
    if (ended == child) return status;
    const bool interrupted = ended < 0 && errno == EINTR;
    if (ended < 0 && !interrupted) return std::nullopt;
    if (std::chrono::steady_clock::now() >= until) break;
    std::this_thread::sleep_for(kLookAgain);
  }
  kill(child, SIGKILL);
  while (waitpid(child, &status, 0) < 0 && errno == EINTR) {
  }
  return std::nullopt;
}

std::string text_at(const json::Object& object, std::string_view key) {
  const auto member = json::last_member(object, key);
  const auto text = member ? json::as_text(*member) : std::nullopt;
  return std::string(text.value_or(""));
}

}  // namespace

Result<ExecCredential> read_exec_credential(const std::string& text) {
  json::Parser parser;
  json::Element root;
  const simdjson::padded_string padded(text);
  const bool parsed = parser.parse(padded).get(root) == simdjson::SUCCESS;
  const auto object = parsed ? json::as_object(root) : std::nullopt;
  const auto member = object ? json::last_member(*object, "status") : std::nullopt;
  const auto status = member ? json::as_object(*member) : std::nullopt;
  if (!status) return wrong("it printed no ExecCredential with a status");
  ExecCredential credential;
  credential.token = text_at(*status, "token");
  credential.certificate = text_at(*status, "clientCertificateData");
  credential.key = text_at(*status, "clientKeyData");
  if (credential.certificate.empty() != credential.key.empty()) {
    return wrong("it printed a client certificate without its key, or the reverse");
  }
  if (credential.token.empty() && credential.certificate.empty()) {
    return wrong("it printed neither a token nor a client certificate");
  }
  const std::string expires = text_at(*status, "expirationTimestamp");
  if (!expires.empty()) credential.expires = policy::parse_time(expires);
  return credential;
}

Result<ExecCredential> run_exec(const ExecCommand& command, std::chrono::milliseconds time) {
  const SteadyTime until = std::chrono::steady_clock::now() + time;
  Pipe pipe;
  if (!pipe.is_open()) return wrong("there is no pipe to be had");
  const pid_t child = spawn(command, pipe.writer());
  if (child < 0) return wrong("it cannot be run");
  pipe.close_writer();
  std::string output;
  const bool complete = read_all(pipe.reader(), until, output);
  // Its output may end long before it does.
  const std::optional<int> status = wait_for(child, complete ? until : SteadyTime());
  if (!complete || !status) return wrong("it did not end in time, or printed too much");
  if (!WIFEXITED(*status) || WEXITSTATUS(*status) != 0) return wrong("it ended with an error");
  return read_exec_credential(output);
}

}  // namespace plimsoll::webhook::cluster
