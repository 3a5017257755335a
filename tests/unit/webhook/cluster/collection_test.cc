#include "webhook/cluster/collection.h"

#include <map>
#include <string>
#include <utility>
#include <vector>

#include <boost/asio/co_spawn.hpp>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/support/canned_server.h"

namespace plimsoll::webhook::cluster {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

const Collection kThings = {.path = "/things", .what = "things"};

std::string page(const std::string& items, const std::string& next = "") {
  return R"({"metadata":{"resourceVersion":"9","continue":")" + next + R"("},"items":)" + items +
         "}";
}

// "a", "b spec.x: a number ...": what a page tells.
std::vector<std::string> told_by(const std::string& body, std::string* failure = nullptr) {
  std::vector<std::string> told;
  const auto read = read_page(
      kThings, body, [&told](const policy::json::Object& item, const std::string& trouble) {
        const std::string name(text_at(item, "metadata", "name"));
        told.push_back(trouble.empty() ? name : name + " " + trouble);
      });
  if (failure != nullptr && !read) *failure = read.error().message;
  return told;
}

TEST(ReadPage, HidesNoItemBehindOneThatCannotBeRead) {
  const std::string a = R"({"metadata":{"name":"a"},"spec":{}})";
  const std::string number = R"({"metadata":{"name":"n"},"spec":{"x":100000000000000000000}})";
  const std::string arrays = std::string(5'000, '[') + std::string(5'000, ']');
  const std::string deep = R"({"metadata":{"name":"d"},"spec":)" + arrays + "}";
  std::string failure;
  const auto told =
      told_by(page("[" + a + "," + number + ", 5 ," + deep + ",\n" + a + "]"), &failure);
  EXPECT_THAT(told,
              ElementsAre("a",
                          "n spec.x: a number that is too large",
                          "d spec: nested deeper than 1,000 levels",
                          "a"))
      << failure;
}

TEST(ReadPage, SaysWhatIsNoList) {
  const std::vector<std::pair<std::string, std::string>> rows = {
      {"", "is not JSON"},
      {"<html>", "is not JSON"},
      {page("[]").substr(0, 40), "is not JSON"},
      {page("[]") + "x", "is not JSON"},
      {page("[{]"), "is not JSON"},
      {page("[{},]"), "is not JSON"},
      {"{}", "is no list"},
      {"[]", "is no list"},
      {page("5"), "is no list"},
      {page("{}"), "is no list"},
      {R"({"items":[]})", "has no resourceVersion"},
      {R"({"items":[],"metadata":{"resourceVersion":1e400}})", "has no resourceVersion"},
      {page(R"([{"metadata":{},"spec":1e400}])"), "holds something that cannot be read"},
      {page("[nonsense]"), "holds something that cannot be read"},
  };
  for (const auto& [body, says] : rows) {
    std::string failure = "nothing";
    told_by(body, &failure);
    EXPECT_THAT(failure, HasSubstr(says)) << body;
  }
  EXPECT_TRUE(told_by(page("null")).empty());
}

// A server with objects of these sizes, and how many were asked for each time.
class Store {
 public:
  explicit Store(std::vector<std::size_t> sizes) : sizes_(std::move(sizes)) {}

  CannedServer::Answer answer(const std::string& target) {
    const std::size_t limit = number_after(target, "limit=");
    std::size_t at = number_after(target, "continue=");
    limits_.push_back(limit);
    std::string items;
    const std::size_t end = std::min(at + limit, sizes_.size());
    for (; at < end; ++at) {
      items += (items.empty() ? "" : ",") + std::string(R"({"metadata":{"name":")") +
               std::to_string(at) + R"(","x":")" + std::string(sizes_[at], 'x') + "\"}}";
    }
    return {200, page("[" + items + "]", end == sizes_.size() ? "" : std::to_string(end))};
  }
  // How many were listed in their order, or what went wrong.
  std::string listed(bool metadata_only = false) {
    CannedServer server([this](const std::string& target) { return answer(target); });
    boost::asio::io_context io;
    Api api(io, server.access(), ApiOptions{.requests_per_second = 10'000});
    Collection things = kThings;
    things.metadata_only = metadata_only;
    std::size_t count = 0;
    bool in_order = true;
    const ItemSink sink = [&](const policy::json::Object& item, const std::string&) {
      in_order = in_order && text_at(item, "metadata", "name") == std::to_string(count);
      ++count;
    };
    std::string said = "never ended";
    auto ended = [&](const std::exception_ptr&, const std::expected<std::string, ApiError>& made) {
      said = made ? std::to_string(count) : made.error().message;
    };
    boost::asio::co_spawn(io, list(api, things, sink), std::move(ended));
    io.run_for(std::chrono::seconds(60));
    return in_order ? said : said + ", not in order";
  }
  const std::vector<std::size_t>& limits() const { return limits_; }

 private:
  static std::size_t number_after(const std::string& target, const std::string& key) {
    const std::size_t at = target.find(key);
    return at == std::string::npos ? 0 : std::stoul(target.substr(at + key.size()));
  }

  std::vector<std::size_t> sizes_;
  std::vector<std::size_t> limits_;
};

TEST(List, AsksForMoreOfSmallObjects) {
  Store store(std::vector<std::size_t>(2'000, 10));
  EXPECT_EQ(store.listed(), "2000");
  EXPECT_THAT(store.limits(), ElementsAre(50, 100, 200, 400, 500, 500, 500));
  Store names(std::vector<std::size_t>(1'000, 10));
  EXPECT_EQ(names.listed(true), "1000");
  EXPECT_THAT(names.limits(), ElementsAre(500, 500));
}

TEST(List, AsksForLessWhereAPageIsTooLong) {
  Store store(std::vector<std::size_t>(60, 700'000));
  EXPECT_EQ(store.listed(), "60");
  EXPECT_THAT(store.limits(), ElementsAre(50, 25, 12, 12, 12, 12, 12))
      << "25 of them are longer than 16 MiB";
  std::vector<std::size_t> mixed(400, 10);
  for (std::size_t i = 200; i < 230; ++i) mixed[i] = 700'000;
  Store sudden(mixed);
  EXPECT_EQ(sudden.listed(), "400");
}

TEST(List, EndsWithAnObjectThatIsTooLongAlone) {
  Store store({10, 10, kMaxPageBytes});
  EXPECT_EQ(store.listed(), "the list of things has an object of more than 16 MiB");
  EXPECT_EQ(store.limits().back(), 1U);
}

}  // namespace
}  // namespace plimsoll::webhook::cluster
