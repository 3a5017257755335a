#include "webhook/cluster/exec_credential.h"

#include <gtest/gtest.h>

namespace plimsoll::webhook::cluster {
namespace {

using namespace std::chrono_literals;
using Seconds = std::chrono::duration<double>;

constexpr const char* kPrint = R"(echo '{"status":{"token":"t"}}'; )";

ExecCommand shell(std::string script) {
  return {.command = "/bin/sh",
          .arguments = {"-c", std::move(script)},
          .environment = {},
          .api_version = "client.authentication.k8s.io/v1"};
}

TEST(ExecCredential, IsWhatAProgramPrints) {
  const auto made = run_exec(shell(kPrint));
  ASSERT_TRUE(made) << made.error().message;
  EXPECT_EQ(made->token, "t");
  EXPECT_TRUE(run_exec(shell(std::string(kPrint) + "exec >&-; sleep 0.2"), 20s))
      << "it may end after its output does";
  EXPECT_FALSE(run_exec(shell(std::string(kPrint) + "exit 3")));
  EXPECT_FALSE(run_exec(shell("head -c 300000 /dev/zero")));
}

TEST(ExecCredential, IsNotWaitedForLongerThanAllowed) {
  const std::string rows[] = {"exec sleep 30",
                              std::string(kPrint) + "exec sleep 30",
                              std::string(kPrint) + "exec sleep 30 >&-",
                              "trap '' TERM; exec >&-; exec sleep 30"};
  for (const std::string& script : rows) {
    const auto began = std::chrono::steady_clock::now();
    const auto made = run_exec(shell(script), 300ms);
    const Seconds took = std::chrono::steady_clock::now() - began;
    ASSERT_FALSE(made) << script;
    EXPECT_NE(made.error().message.find("in time"), std::string::npos) << made.error().message;
    EXPECT_LT(took, 15s) << script;
  }
}

}  // namespace
}  // namespace plimsoll::webhook::cluster
