#include "webhook/policy_sources/namespaces.h"

#include <gtest/gtest.h>

namespace plimsoll::webhook::policy_sources {
namespace {

// Kubernetes: names of namespaces are DNS labels as defined in RFC 1123.
TEST(Namespaces, HaveDnsLabelsForNames) {
  const std::string longest(63, 'a');
  for (const std::string& name : {std::string("a"), std::string("9-to-5"), longest}) {
    EXPECT_TRUE(Namespaces::can_be_name(name)) << name;
  }
  const std::string rows[] = {"",
                              longest + "a",
                              std::string(1u << 20U, 'a'),
                              "-a",
                              "a-",
                              "Shop",
                              "a.b",
                              "a_b",
                              "a/b",
                              "a b",
                              "..",
                              "\xC3\xA4",
                              std::string("a\0b", 3)};
  for (const std::string& name : rows) {
    EXPECT_FALSE(Namespaces::can_be_name(name)) << name.substr(0, 80);
  }
}

}  // namespace
}  // namespace plimsoll::webhook::policy_sources
