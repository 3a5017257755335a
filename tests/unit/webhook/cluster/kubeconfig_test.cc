#include "webhook/cluster/kubeconfig.h"

#include <string>
#include <vector>

#include <gtest/gtest.h>

namespace plimsoll::webhook::cluster {
namespace {

constexpr const char* kSecret = "hunter2";

std::string config(const std::string& cluster, const std::string& user) {
  return "apiVersion: v1\nkind: Config\ncurrent-context: c\n"
         "clusters: [{name: k, cluster: {" +
         cluster + "}}]\nusers: [{name: u, user: {" + user +
         "}}]\ncontexts: [{name: c, context: {cluster: k, user: u, namespace: shop}}]\n";
}

constexpr const char* kServer = "server: 'https://api.test:6443/prefix/'";

TEST(Kubeconfig, IsReadAsKubectlDoes) {
  const auto read = read_kubeconfig("/etc/k/config",
                                    config(std::string(kServer) + ", tls-server-name: other, "
                                                                  "certificate-authority: ca.crt",
                                           "tokenFile: t, client-certificate-data: aGVsbG8=, "
                                           "client-key: /abs/key"),
                                    "",
                                    false);
  ASSERT_TRUE(read) << read.error().message;
  EXPECT_EQ(read->server.host, "api.test");
  EXPECT_EQ(read->server.port, 6443);
  EXPECT_EQ(read->server.target, "/prefix");
  EXPECT_EQ(read->tls_name, "other");
  EXPECT_EQ(read->authorities.file, "/etc/k/ca.crt");
  EXPECT_EQ(read->token.file, "/etc/k/t");
  EXPECT_EQ(read->certificate.text, "hello");
  EXPECT_EQ(read->key.file, "/abs/key");
  EXPECT_EQ(read->name_space, "shop");
}

TEST(Kubeconfig, RunsProgramsOnlyWhereAllowed) {
  const std::string text = config(
      kServer,
      "exec: {apiVersion: client.authentication.k8s.io/v1, command: ./get, args: [a, b], env: "
      "[{name: N, value: V}]}");
  EXPECT_FALSE(read_kubeconfig("/etc/k/config", text, "", false));
  const auto read = read_kubeconfig("/etc/k/config", text, "", true);
  ASSERT_TRUE(read) << read.error().message;
  ASSERT_TRUE(read->exec);
  EXPECT_EQ(read->exec->command, "/etc/k/./get");
  EXPECT_EQ(read->exec->arguments, (std::vector<std::string>{"a", "b"}));
}

TEST(Kubeconfig, ThatIsBadIsToldInOneLine) {
  const std::string exec = "exec: {apiVersion: client.authentication.k8s.io/v1, ";
  const std::vector<std::pair<std::string, std::string>> rows = {
      {"", "it is empty"},
      {"# nothing\n", "it is empty"},
      {"5", "no kubeconfig"},
      {"[]", "no kubeconfig"},
      {"{}", "no current-context"},
      {"a: [", "config:"},
      {"a: &x [*x]", "config:"},
      {"a: 1\n---\nb: 2\n", "config:"},
      {"{\"current-context\": 5}", "no current-context"},
      {"current-context: x\ncontexts: 5\n", "no context \"x\""},
      {"current-context: x\ncontexts: [{name: y}]\n", "no context \"x\""},
      {"current-context: x\ncontexts: [{name: x, context: 5}]\n", "no context \"x\""},
      {"current-context: x\ncontexts: [{name: x, context: {}}]\n", "no cluster \"\""},
      {"current-context: x\ncontexts: [{name: x, context: {cluster: a}}]\nclusters: [5]\n",
       "no cluster \"a\""},
      {"current-context: x\ncontexts: [{name: x, context: {cluster: a}}]\nclusters: [{name: a, "
       "cluster: {}}]\n",
       "no user \"\""},
      {config("", "token: x"), "cluster.server is not a URL"},
      {config("server: 5", "token: x"), "cluster.server is not a URL"},
      {config("server: 'http://api.test'", "token: x"), "must be https"},
      {config("server: 'https://u:p@api.test'", "token: x"), "cluster.server is not a URL"},
      {config("server: 'https://api.test/?a=b'", "token: x"), "has a query"},
      {config("server: 'https://api.test:99999'", "token: x"), "cluster.server is not a URL"},
      {config(std::string(kServer) + ", insecure-skip-tls-verify: true", "token: x"),
       "insecure-skip-tls-verify"},
      {config(std::string(kServer) + ", insecure-skip-tls-verify: maybe", "token: x"),
       "insecure-skip-tls-verify"},
      {config(std::string(kServer) + ", proxy-url: 'http://p'", "token: x"), "proxy-url"},
      {config(std::string(kServer) + ", certificate-authority-data: '***'", "token: x"),
       "is not base64"},
      {config(kServer, "client-certificate: a"), "belong together"},
      {config(kServer, "client-key: a"), "belong together"},
      {config(kServer, "client-key-data: '*'"), "is not base64"},
      {config(kServer, "username: a, password: hunter2"), "username and password"},
      {config(kServer, "password: hunter2"), "username and password"},
      {config(kServer, "auth-provider: {name: gcp}"), "auth-provider"},
      {config(kServer, "exec: {}"), "user.exec.command is missing"},
      {config(kServer, "exec: 5"), "user.exec.command is missing"},
      {config(kServer, exec + "command: ''}"), "user.exec.command is missing"},
      {config(kServer, "exec: {command: x}"), "user.exec.apiVersion"},
      {config(kServer, "exec: {command: x, apiVersion: v9}"), "user.exec.apiVersion"},
      {std::string(300, '['), "config:"},
      {std::string(kMaxAccessFileBytes + 1, 'a'), "config:"},
      {"a: b: c", "config:"},
      {"\x01", "config:"},
  };
  for (const auto& [text, says] : rows) {
    const auto read = read_kubeconfig("/etc/k/config", text, "", true);
    ASSERT_FALSE(read) << text.substr(0, 200);
    const std::string& line = read.error().message;
    EXPECT_TRUE(line.starts_with("/etc/k/config")) << line;
    EXPECT_NE(line.find(says), std::string::npos) << line << " for " << text.substr(0, 200);
    EXPECT_EQ(line.find('\n'), std::string::npos) << line;
    EXPECT_EQ(line.find(kSecret), std::string::npos) << line;
  }
}

TEST(InCluster, SaysWhatIsMissing) {
  const auto nothing = [](const char*) { return std::optional<std::string>(); };
  const auto outside = in_cluster_access(nothing, "/none");
  ASSERT_FALSE(outside);
  EXPECT_NE(outside.error().message.find("--kubeconfig"), std::string::npos);
  const auto pod = [](const char* name) {
    const bool host = std::string_view(name) == "KUBERNETES_SERVICE_HOST";
    return std::optional<std::string>(host ? "fd00::1" : "443");
  };
  const auto inside = in_cluster_access(pod, "/none");
  ASSERT_TRUE(inside) << inside.error().message;
  EXPECT_EQ(inside->server.host, "fd00::1");
  EXPECT_EQ(inside->token.file, "/none/token");
  EXPECT_FALSE(AccessSource::make(*inside)) << "there is no authority to be trusted";
}

TEST(ExecCredential, NeedsATokenOrACertificate) {
  EXPECT_EQ(read_exec_credential(R"({"status":{"token":"t"}})")->token, "t");
  for (const char* text :
       {"", "{}", "[]", R"({"status":{}})", R"({"status":{"clientKeyData":"k"}})"}) {
    EXPECT_FALSE(read_exec_credential(text)) << text;
  }
}

}  // namespace
}  // namespace plimsoll::webhook::cluster
