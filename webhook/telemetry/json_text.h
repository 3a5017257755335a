// JSON text, appended piece by piece: for answers and log lines that are written by hand.
#pragma once

#include <string>
#include <string_view>

namespace plimsoll::webhook::telemetry {

// A JSON string with its quotes (RFC 8259 7). `text` must be UTF-8.
void append_json_string(std::string& out, std::string_view text);

}  // namespace plimsoll::webhook::telemetry
