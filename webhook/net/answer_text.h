// An answer as the bytes of an HTTP response.
#pragma once

#include <string>
#include <string_view>

#include "webhook/net/handler.h"

namespace plimsoll::webhook::net {

// Replaces `out`. `close` adds "Connection: close" (as does the answer's own wish); for HEAD the
// body is left out, its length is not.
void write_answer(const Answer& answer, bool close, bool head_only, std::string& out);

// A short text/plain answer that ends the connection.
void set_refusal(Answer& answer, unsigned status, std::string_view text);

}  // namespace plimsoll::webhook::net
