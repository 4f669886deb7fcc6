#include "replication/base/value.h"

#include <bit>
#include <cinttypes>
#include <cstdio>
#include <cstdlib>
#include <nlohmann/json.hpp>

#include "replication/base/error.h"
#include "replication/base/text.h"

namespace liteferry {
namespace {

void AppendBigEndian(std::string& out, std::uint64_t value, int bytes) {
  for (int shift = (bytes - 1) * 8; shift >= 0; shift -= 8) {
    out.push_back(static_cast<char>((value >> shift) & 0xff));
  }
}

std::uint64_t ReadBigEndian(std::string_view& in, std::size_t bytes) {
  Require(in.size() >= bytes, "packed key is cut off");
  std::uint64_t value = 0;
  for (std::size_t i = 0; i < bytes; ++i) value = value << 8 | static_cast<unsigned char>(in[i]);
  in.remove_prefix(bytes);
  return value;
}

nlohmann::json ToJson(const Value& value) {
  switch (value.storage) {
    case StorageClass::kNull:
      return nullptr;
    case StorageClass::kInteger:
      return value.integer;
    case StorageClass::kReal: {
      char text[64];
      std::snprintf(text, sizeof(text), "%a", value.real);
      return {{"real", text}};
    }
    case StorageClass::kText:
      if (IsValidUtf8(value.bytes)) return std::string(value.bytes);
      return {{"text", ToHex(value.bytes)}};
    case StorageClass::kBlob:
      return {{"blob", ToHex(value.bytes)}};
  }
  return nullptr;
}

}  // namespace

std::string_view ToString(StorageClass storage) {
  switch (storage) {
    case StorageClass::kNull:
      return "null";
    case StorageClass::kInteger:
      return "integer";
    case StorageClass::kReal:
      return "real";
    case StorageClass::kText:
      return "text";
    case StorageClass::kBlob:
      return "blob";
  }
  return "null";
}

bool operator==(const Value& a, const Value& b) {
  if (a.storage != b.storage) return false;
  switch (a.storage) {
    case StorageClass::kNull:
      return true;
    case StorageClass::kInteger:
      return a.integer == b.integer;
    case StorageClass::kReal:
      return std::bit_cast<std::uint64_t>(a.real) == std::bit_cast<std::uint64_t>(b.real);
    case StorageClass::kText:
    case StorageClass::kBlob:
      return a.bytes == b.bytes;
  }
  return false;
}

PackedKey PackKey(Row key) {
  PackedKey out;
  for (const Value& value : key) {
    switch (value.storage) {
      case StorageClass::kNull:
        out.push_back('n');
        break;
      case StorageClass::kInteger:
        out.push_back('i');
        AppendBigEndian(out, static_cast<std::uint64_t>(value.integer), 8);
        break;
      case StorageClass::kReal:
        out.push_back('r');
        AppendBigEndian(out, std::bit_cast<std::uint64_t>(value.real), 8);
        break;
      case StorageClass::kText:
      case StorageClass::kBlob:
        out.push_back(value.storage == StorageClass::kText ? 't' : 'b');
        AppendBigEndian(out, value.bytes.size(), 4);
        out.append(value.bytes);
        break;
    }
  }
  return out;
}

std::vector<Value> UnpackKey(std::string_view packed) {
  std::vector<Value> key;
  while (!packed.empty()) {
    const char tag = packed.front();
    packed.remove_prefix(1);
    if (tag == 'n') {
      key.push_back(Value::Null());
    } else if (tag == 'i') {
      key.push_back(Value::Integer(static_cast<std::int64_t>(ReadBigEndian(packed, 8))));
    } else if (tag == 'r') {
      key.push_back(Value::Real(std::bit_cast<double>(ReadBigEndian(packed, 8))));
    } else {
      Require(tag == 't' || tag == 'b', "packed key has an unknown tag");
      const std::size_t size = ReadBigEndian(packed, 4);
      Require(packed.size() >= size, "packed key is cut off");
      const std::string_view bytes = packed.substr(0, size);
      key.push_back(tag == 't' ? Value::Text(bytes) : Value::Blob(bytes));
      packed.remove_prefix(size);
    }
  }
  return key;
}

std::string KeyToJson(Row key) {
  nlohmann::json array = nlohmann::json::array();
  for (const Value& value : key) array.push_back(ToJson(value));
  return array.dump();
}

PackedKey KeyFromJson(std::string_view json) {
  const auto array = nlohmann::json::parse(json, nullptr, false);
  Require(array.is_array(), "key is not a JSON array");
  std::vector<std::string> owned(array.size());
  std::vector<Value> key;
  for (std::size_t i = 0; i < array.size(); ++i) {
    const auto& element = array[i];
    if (element.is_null()) {
      key.push_back(Value::Null());
    } else if (element.is_number_integer()) {
      key.push_back(Value::Integer(element.get<std::int64_t>()));
    } else if (element.is_string()) {
      owned[i] = element.get<std::string>();
      key.push_back(Value::Text(owned[i]));
    } else if (element.contains("real")) {
      key.push_back(Value::Real(std::strtod(element["real"].get<std::string>().c_str(), nullptr)));
    } else {
      const bool blob = element.contains("blob");
      Require(blob || element.contains("text"), "key has an element of an unknown form");
      owned[i] = FromHex(element[blob ? "blob" : "text"].get<std::string>());
      key.push_back(blob ? Value::Blob(owned[i]) : Value::Text(owned[i]));
    }
  }
  return PackKey(key);
}

bool IsValidUtf8(std::string_view text) {
  const auto* p = reinterpret_cast<const unsigned char*>(text.data());
  const auto* const end = p + text.size();
  while (p < end) {
    // Runs of ASCII are most of what comes, so they go eight bytes at a time.
    while (end - p >= 8) {
      std::uint64_t word;
      __builtin_memcpy(&word, p, sizeof(word));
      if ((word & 0x8080808080808080ULL) != 0) break;
      p += 8;
    }
    if (p == end) break;
    const unsigned char lead = *p++;
    if (lead < 0x80) continue;
    int more = 0;
    std::uint32_t point = 0;
    std::uint32_t least = 0;
    if (lead >= 0xc2 && lead <= 0xdf) {
      more = 1, point = lead & 0x1fU, least = 0x80;
    } else if (lead >= 0xe0 && lead <= 0xef) {
      more = 2, point = lead & 0x0fU, least = 0x800;
    } else if (lead >= 0xf0 && lead <= 0xf4) {
      more = 3, point = lead & 0x07U, least = 0x10000;
    } else {
      return false;
    }
    if (end - p < more) return false;
    for (; more > 0; --more, ++p) {
      if ((*p & 0xc0U) != 0x80) return false;
      point = point << 6 | (*p & 0x3fU);
    }
    if (point < least || point > 0x10ffff || (point >= 0xd800 && point <= 0xdfff)) return false;
  }
  return true;
}

}  // namespace liteferry
