#include <charconv>
#include <string>
#include <system_error>

#include "webhook/documents/document.h"

namespace plimsoll::webhook::documents {
namespace {

// The first token of a pointer, unescaped by RFC 6901; `pointer` is moved behind it.
std::string take_token(std::string_view& pointer) {
  if (!pointer.empty() && pointer.front() == '/') pointer.remove_prefix(1);
  const std::size_t end = pointer.find('/');
  const std::string_view raw = pointer.substr(0, end);
  pointer = end == std::string_view::npos ? std::string_view() : pointer.substr(end);
  std::string token;
  for (std::size_t i = 0; i < raw.size(); ++i) {
    const bool escaped = raw[i] == '~' && i + 1 < raw.size();
    if (escaped && raw[i + 1] == '1') {
      token += '/';
      ++i;
    } else if (escaped && raw[i + 1] == '0') {
      token += '~';
      ++i;
    } else {
      token += raw[i];
    }
  }
  return token;
}

std::uint64_t milestone(std::uint32_t parent, std::uint32_t number) {
  return (std::uint64_t{parent} << 32) | number;
}

}  // namespace

PositionMap::Index PositionMap::add(Index parent,
                                    std::string_view token,
                                    Position key,
                                    Position value) {
  const Index index = static_cast<Index>(entries_.size());
  Entry entry;
  entry.key = key;
  entry.value = value;
  entry.token_at = static_cast<std::uint32_t>(tokens_.size());
  entry.token_bytes = static_cast<std::uint32_t>(token.size());
  tokens_ += token;
  entries_.push_back(entry);
  if (parent != kNone) {
    Entry& above = entries_[parent];
    if (above.first_child == kNone) {
      above.first_child = index;
    } else {
      entries_[above.last_child].next = index;
    }
    above.last_child = index;
    if (above.children > 0 && above.children % kStride == 0)
      milestones_.emplace(milestone(parent, above.children), index);
    ++above.children;
  }
  return index;
}

PositionMap::Index PositionMap::search(Index from, std::string_view token) const {
  for (Index at = from; at != kNone; at = entries_[at].next) {
    if (token_of(entries_[at]) == token) return at;
  }
  return kNone;
}

// The keys of a map may be numbers as well, in any order: the milestone is only where to try first.
PositionMap::Index PositionMap::child(Index parent, std::string_view token) const {
  const Entry& above = entries_[parent];
  std::uint32_t number = 0;
  const auto [end, error] = std::from_chars(token.data(), token.data() + token.size(), number);
  const bool is_number = error == std::errc() && end == token.data() + token.size();
  if (is_number && number >= kStride && number < above.children) {
    const auto near = milestones_.find(milestone(parent, number / kStride * kStride));
    Index at = near == milestones_.end() ? kNone : near->second;
    for (std::uint32_t i = 0; i < number % kStride && at != kNone; ++i) at = entries_[at].next;
    if (at != kNone && token_of(entries_[at]) == token) return at;
  }
  return search(above.first_child, token);
}

PositionMap::Index PositionMap::nearest(std::string_view pointer) const {
  if (entries_.empty()) return kNone;
  Index at = 0;
  while (!pointer.empty()) {
    const Index below = child(at, take_token(pointer));
    if (below == kNone) break;
    at = below;
  }
  return at;
}

Position PositionMap::of_value(std::string_view pointer) const {
  const Index at = nearest(pointer);
  return at == kNone ? Position{} : entries_[at].value;
}

Position PositionMap::of_key(std::string_view pointer) const {
  const Index at = nearest(pointer);
  return at == kNone ? Position{} : entries_[at].key;
}

}  // namespace plimsoll::webhook::documents
