// How many processors this process may use.
#pragma once

namespace plimsoll::webhook::net {

// The container's CPU limit (control groups version 2 or 1), rounded up, at most the number of
// processors that the scheduler lets us run on; at least 1.
unsigned usable_processors();

}  // namespace plimsoll::webhook::net
