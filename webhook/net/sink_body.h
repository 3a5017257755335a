// A body for Beast's parser that passes every piece on and keeps nothing: Content-Length never
// decides how much memory is taken.
#pragma once

#include <cstdint>
#include <string_view>

#include <boost/beast/core/buffers_range.hpp>
#include <boost/beast/http/error.hpp>
#include <boost/beast/http/message.hpp>
#include <boost/optional.hpp>

#include "webhook/net/fetch.h"

namespace plimsoll::webhook::net {

struct SinkBody {
  using value_type = BodySink;

  class reader {  // NOLINT(readability-identifier-naming): the name that Beast asks for
   public:
    template <bool isRequest, class Fields>
    reader(boost::beast::http::header<isRequest, Fields>& /*head*/, value_type& sink)
        : sink_(sink) {}

    void init(const boost::optional<std::uint64_t>& /*length*/, boost::system::error_code& error) {
      error = {};
    }

    template <class Buffers>
    std::size_t put(const Buffers& buffers, boost::system::error_code& error) {
      error = {};
      std::size_t taken = 0;
      for (const auto piece : boost::beast::buffers_range_ref(buffers)) {
        if (!sink_({static_cast<const char*>(piece.data()), piece.size()})) {
          error = boost::beast::http::error::unexpected_body;
          return taken;
        }
        taken += piece.size();
      }
      return taken;
    }

    void finish(boost::system::error_code& error) { error = {}; }

   private:
    value_type& sink_;
  };
};

}  // namespace plimsoll::webhook::net
