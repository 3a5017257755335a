#include "policy/exception.h"

namespace plimsoll::policy {

std::string date_text(std::chrono::sys_days day) {
  const std::chrono::year_month_day date(day);
  std::string text = std::to_string(static_cast<int>(date.year()));
  for (const unsigned part :
       {static_cast<unsigned>(date.month()), static_cast<unsigned>(date.day())}) {
    text += part < 10 ? "-0" : "-";
    text += std::to_string(part);
  }
  return text;
}

}  // namespace plimsoll::policy
