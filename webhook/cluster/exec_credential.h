// Credentials made by a program that a kubeconfig names (client.authentication.k8s.io/v1), where
// whoever runs us allows that.
#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "policy/result.h"

namespace plimsoll::webhook::cluster {

inline constexpr std::chrono::seconds kExecTime{15};
inline constexpr std::size_t kMaxExecOutput = 256 * 1024;

struct ExecCommand {
  std::string command;
  std::vector<std::string> arguments;
  std::vector<std::pair<std::string, std::string>> environment;  // beside our own
  std::string api_version;  // "client.authentication.k8s.io/v1"
};

struct ExecCredential {
  std::string token;
  std::string certificate;  // PEM
  std::string key;
  std::optional<std::chrono::sys_seconds> expires;
};

// Runs the program and waits for it, `time` at most; nothing of what it prints is in an error.
policy::Result<ExecCredential> run_exec(const ExecCommand& command,
                                        std::chrono::milliseconds time = kExecTime);

// What such a program has printed.
policy::Result<ExecCredential> read_exec_credential(const std::string& text);

}  // namespace plimsoll::webhook::cluster
