#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "webhook/registry/registries.h"

namespace plimsoll::webhook::registry {
namespace {

using ::testing::HasSubstr;

std::string document(const std::string& spec) {
  return "apiVersion: plimsoll.dev/v1alpha1\nkind: RegistryConfig\nspec: " + spec + "\n";
}

policy::Result<std::string> no_files(const std::string& path) {
  return std::unexpected(policy::Error{policy::ErrorKind::kNotFound, path + ": cannot be opened"});
}

std::shared_ptr<const Registries> registries_of(const std::string& spec) {
  auto config = parse_registry_config("r.yaml", document(spec));
  EXPECT_TRUE(config) << (config ? "" : config.error().front());
  if (!config) return nullptr;
  auto registries = Registries::make(*std::move(config), &no_files);
  EXPECT_TRUE(registries);
  return registries ? *registries : nullptr;
}

Repository repository_of(std::string_view reference) {
  return Repository::of(*policy::parse_image_reference(reference));
}

std::string endpoints_of(const Registries& registries, std::string_view reference) {
  std::string text;
  const auto endpoints = registries.endpoints(repository_of(reference));
  if (!endpoints) return endpoints.error();
  for (const Endpoint& endpoint : *endpoints) {
    text += (text.empty() ? "" : " ") + endpoint.base.shown() +
            (endpoint.name_space.empty() ? "" : "?ns=" + endpoint.name_space) +
            (endpoint.access.configured ? " private" : "");
  }
  return text;
}

TEST(Registries, EndpointsAreMirrorsAndThenTheRegistry) {
  const auto plain = registries_of("{}");
  EXPECT_EQ(endpoints_of(*plain, "nginx"), "https://registry-1.docker.io/v2/");
  EXPECT_EQ(endpoints_of(*plain, "Reg.Example.com:5000/a"), "https://reg.example.com:5000/v2/");
  EXPECT_EQ(endpoints_of(*plain, "[::1]:5000/a"), "https://[::1]:5000/v2/");
  const auto told = registries_of(
      "{registries: [{host: docker.io, mirrors: ['https://mirror.corp/v2/hub']},"
      " {host: 'lab:5000', plainHTTP: true, private: true}, {host: mirror.corp, private: true}]}");
  EXPECT_EQ(endpoints_of(*told, "nginx"),
            "https://mirror.corp/v2/hub/?ns=docker.io private https://registry-1.docker.io/v2/");
  EXPECT_EQ(endpoints_of(*told, "lab:5000/a"), "http://lab:5000/v2/ private");
}

TEST(Registries, AllowIsAboutEveryHostThatIsNotConfigured) {
  const auto some = registries_of("{allow: ['*.corp'], registries: [{host: quay.io}]}");
  EXPECT_TRUE(some->allows("registry.corp"));
  EXPECT_TRUE(some->allows("quay.io"));
  EXPECT_FALSE(some->allows("docker.io"));
  EXPECT_FALSE(some->allows("registry.corp.evil.com"));
  EXPECT_TRUE(registries_of("{}")->allows("docker.io"));
}

TEST(Registries, CredentialsGoToTheRegistryAndToRealmsThatAreTrusted) {
  const auto told = registries_of("{registries: [{host: 'r.corp', tokenRealms: [auth.corp]}]}");
  const auto trusts = [&told](std::string_view reference, std::string_view realm) {
    const auto endpoints = told->endpoints(repository_of(reference));
    return told->trusts_realm(endpoints->back(), *net::parse_url(realm));
  };
  EXPECT_TRUE(trusts("r.corp/a", "https://r.corp/token"));
  EXPECT_TRUE(trusts("r.corp/a", "https://auth.corp/token"));
  EXPECT_FALSE(trusts("r.corp/a", "https://auth.corp.evil/token"));
  EXPECT_FALSE(trusts("r.corp/a", "http://r.corp/token"));
  EXPECT_FALSE(trusts("r.corp/a", "https://r.corp:444/token"));
  EXPECT_TRUE(trusts("nginx", "https://auth.docker.io/token"));
  EXPECT_FALSE(trusts("quay.io/a", "https://auth.docker.io/token"));
}

TEST(Registries, BadFilesAreToldWithTheirPlace) {
  const struct {
    std::string text;
    const char* problem;
  } rows[] = {
      {"", "must hold one RegistryConfig"},
      {"kind: RegistryConfig\n", "r.yaml:1:1: the key \"apiVersion\" is missing"},
      {document("{registriez: []}"), "did you mean \"registries\""},
      {document("{registries: [{}]}"), "the key \"host\" is missing"},
      {document("{registries: [{host: 'https://r.corp'}]}"), "is no registry"},
      {document("{registries: [{host: r}]}"), "is no registry"},
      {document("{registries: [{host: r.corp}, {host: r.corp}]}"), "is here twice"},
      {document("{registries: [{host: r.corp, private: maybe}]}"), "true or false"},
      {document("{registries: [{host: r.corp, plainHTTP: true, ca: x}]}"), "exclude each other"},
      {document("{registries: [{host: r.corp, mirrors: ['mirror.corp']}]}"), "is no mirror"},
      {document("{platforms: [linux]}"), "is no platform"},
      {document("{allow: []}"), "empty"},
      {document("{}") + "---\n" + document("{}"), "must hold one RegistryConfig"},
  };
  for (const auto& row : rows) {
    const auto config = parse_registry_config("r.yaml", row.text);
    ASSERT_FALSE(config) << row.text;
    EXPECT_THAT(config.error().front(), HasSubstr(row.problem)) << row.text;
  }
}

TEST(Registries, FilesThatAreMissingAreTold) {
  auto config = parse_registry_config(
      "r.yaml",
      document("{credentials: [/none/config.json], registries: [{host: r.corp, ca: /none/ca}]}"));
  ASSERT_TRUE(config);
  const auto registries = Registries::make(*std::move(config), &no_files);
  ASSERT_FALSE(registries);
  EXPECT_EQ(registries.error().size(), 2U);
}

}  // namespace
}  // namespace plimsoll::webhook::registry
