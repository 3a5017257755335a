#include "webhook/cluster/api.h"

#include <vector>

#include <boost/asio/co_spawn.hpp>
#include <gtest/gtest.h>

#include "tests/support/silent_server.h"

namespace plimsoll::webhook::cluster {
namespace {

using std::chrono::milliseconds;

class Asker {
 public:
  Asker() : api_(io_, server_.access(), scarce()) {}

  void ask(bool for_review, milliseconds time) {
    ApiRequest request;
    request.path = "/version";
    request.time = time;
    request.for_review = for_review;
    auto ended = [this](const std::exception_ptr& failure, const ApiResult& result) {
      reasons_.push_back(failure || result ? "something else" : result.error().reason);
    };
    boost::asio::co_spawn(io_, api_.call(std::move(request)), std::move(ended));
  }
  void run() { io_.run_for(std::chrono::seconds(20)); }
  std::size_t that_ended_with(std::string_view reason) const {
    return static_cast<std::size_t>(std::ranges::count(reasons_, reason));
  }
  std::uint64_t requests() const { return api_.counters().requests; }

 private:
  static ApiOptions scarce() {
    ApiOptions options;
    options.requests_per_second = 0.01;
    options.burst = 1;
    options.review_requests_per_second = 0.01;
    options.review_burst = 1;
    return options;
  }

  boost::asio::io_context io_;
  SilentServer server_;
  Api api_;
  std::vector<std::string> reasons_;
};

TEST(Api, AsksNothingThatWouldHaveItsTurnTooLate) {
  Asker asker;
  for (int times = 0; times < 1'000; ++times) asker.ask(true, milliseconds(0));
  asker.ask(true, milliseconds(500));
  for (int times = 0; times < 1'000; ++times) asker.ask(true, milliseconds(500));
  asker.run();
  EXPECT_EQ(asker.that_ended_with(kNoTurn), 2'000);
  EXPECT_EQ(asker.that_ended_with("NoAnswer"), 1) << "the one turn that there was";
  EXPECT_EQ(asker.requests(), 1);
}

TEST(Api, KeepsTheTurnsOfOthersWhateverReviewsAsk) {
  Asker asker;
  for (int times = 0; times < 1'000; ++times) asker.ask(true, milliseconds(500));
  asker.ask(false, milliseconds(500));
  asker.run();
  EXPECT_EQ(asker.that_ended_with("NoAnswer"), 2) << "one of the reviews', and the other";
  EXPECT_EQ(asker.requests(), 2);
}

}  // namespace
}  // namespace plimsoll::webhook::cluster
