#include <array>
#include <cstddef>
#include <cstdint>
#include <string>

#include "replication/target/convert_array_text.h"
#include "replication/target/convert_internal.h"

namespace liteferry::target::internal {
namespace {

// PostgreSQL's MAXDIM, and MaxArraySize: one Datum each in an allocation of 1 GiB.
constexpr int kMaxDimensions = 6;
constexpr std::int64_t kMaxElements = 134'217'727;

// Puts elements and brackets into an array's binary form (array_recv: number of dimensions, whether
// there are NULLs, element type, then size and lower bound of each dimension, then the elements) or
// its text form. Lives for one value.
class ArrayWriter {
 public:
  ArrayWriter(const TargetType& type, const ConvertOptions& options, const Sink& sink)
      : type_(type), options_(options), sink_(sink), begin_(sink.out.size()) {}

  Rejection Open();
  Rejection Close();
  Rejection Put(const Value& element);
  // About the element that would be next.
  Rejection RejectNext(const std::string& reason) const {
    return CellError{"element " + std::to_string(elements_ + 1) + ": " + reason};
  }
  void Finish();

 private:
  struct Dimension {
    std::int64_t count = 0;  // in the sub-array that is open
    std::int64_t size = -1;  // of the sub-arrays closed so far
  };

  // Before an element or sub-array of the array that is open.
  void BeginItem();
  Rejection BeginElement();
  Rejection PutBinary(const Value& element);
  Rejection PutText(const Value& element);

  const TargetType& type_;
  const ConvertOptions& options_;
  const Sink& sink_;
  const std::size_t begin_;
  std::array<Dimension, kMaxDimensions> dimensions_;
  int depth_ = 0;            // of the brackets that are open
  int dimension_count_ = 0;  // 0 before the first element
  std::int64_t elements_ = 0;
  bool has_null_ = false;
  std::string text_;
};

Rejection ArrayWriter::Open() {
  if (depth_ == kMaxDimensions) return Reject("array of more than 6 dimensions");
  if (dimension_count_ > 0 && depth_ == dimension_count_) {
    return Reject("array in the place of an element");
  }
  if (depth_ > 0) BeginItem();
  dimensions_[static_cast<std::size_t>(depth_++)].count = 0;
  if (!sink_.binary) sink_.out.push_back('{');
  return std::nullopt;
}

Rejection ArrayWriter::Close() {
  const bool whole = depth_ == 1;
  Dimension& dimension = dimensions_[static_cast<std::size_t>(--depth_)];
  if (dimension.count == 0 && !whole) return Reject("array with an empty array in it");
  if (dimension.size >= 0 && dimension.size != dimension.count) {
    return Reject("array with parts of different lengths");
  }
  dimension.size = dimension.count;
  if (!sink_.binary) sink_.out.push_back('}');
  return std::nullopt;
}

void ArrayWriter::BeginItem() {
  if (dimensions_[static_cast<std::size_t>(depth_ - 1)].count++ > 0 && !sink_.binary) {
    sink_.out.push_back(type_.delimiter);
  }
}

Rejection ArrayWriter::BeginElement() {
  if (dimension_count_ == 0) {
    dimension_count_ = depth_;
    if (sink_.binary) sink_.out.append(12 + 8 * static_cast<std::size_t>(depth_), '\0');
  }
  if (depth_ != dimension_count_) return Reject("element in the place of an array");
  BeginItem();
  if (++elements_ > kMaxElements) return Reject("array of more elements than PostgreSQL holds");
  return CheckSize(sink_.out.size() - begin_);
}

Rejection ArrayWriter::Put(const Value& element) {
  if (auto rejection = BeginElement()) return rejection;
  auto rejection = sink_.binary ? PutBinary(element) : PutText(element);
  if (rejection) rejection->reason.insert(0, "element " + std::to_string(elements_) + ": ");
  return rejection;
}

Rejection ArrayWriter::PutBinary(const Value& element) {
  if (element.is_null()) {
    has_null_ = true;
    sink_.Big(std::int32_t{-1});
    return std::nullopt;
  }
  const std::size_t before = sink_.out.size();
  sink_.out.append(4, '\0');
  if (auto rejection = ConvertCell(element, *type_.element, options_, sink_)) return rejection;
  StoreLength(sink_.out, before);
  return std::nullopt;
}

Rejection ArrayWriter::PutText(const Value& element) {
  if (element.is_null()) {
    sink_.Bytes("NULL");
    return std::nullopt;
  }
  text_.clear();
  const Sink inner{text_, false, sink_.rounded};
  if (auto rejection = ConvertCell(element, *type_.element, options_, inner)) return rejection;
  sink_.out.push_back('"');
  for (const char c : text_) {
    if (c == '"' || c == '\\') sink_.out.push_back('\\');
    sink_.out.push_back(c);
  }
  sink_.out.push_back('"');
  return std::nullopt;
}

void ArrayWriter::Finish() {
  if (!sink_.binary) return;
  std::string header;
  const Sink sink{header};
  sink.Big(std::int32_t{dimension_count_});
  sink.Big(std::int32_t{has_null_ ? 1 : 0});
  sink.Big(type_.element->oid);
  for (std::size_t i = 0; i < static_cast<std::size_t>(dimension_count_); ++i) {
    sink.Big(static_cast<std::int32_t>(dimensions_[i].size));
    sink.Big(std::int32_t{1});  // lower bound
  }
  // The room for it was made by the first element; an empty array has had none.
  sink_.out.replace(begin_, dimension_count_ == 0 ? 0 : header.size(), header);
}

Rejection Write(ArrayText& text, ArrayWriter& writer) {
  for (;;) {
    Rejection rejection;
    switch (text.Next()) {
      case ArrayText::Piece::kOpen:
        rejection = writer.Open();
        break;
      case ArrayText::Piece::kClose:
        rejection = writer.Close();
        break;
      case ArrayText::Piece::kElement:
        rejection = writer.Put(text.element());
        break;
      case ArrayText::Piece::kNull:
        rejection = writer.Put(Value::Null());
        break;
      case ArrayText::Piece::kEnd:
        writer.Finish();
        return std::nullopt;
      case ArrayText::Piece::kWrongElement:
        return writer.RejectNext(text.reason());
      case ArrayText::Piece::kWrong:
        return Reject(text.reason());
    }
    if (rejection) return rejection;
  }
}

}  // namespace

Rejection ConvertArray(const Value& value, const TargetType& type, const ConvertOptions& options,
                       const Sink& sink) {
  if (value.storage != StorageClass::kText) return RejectClass(value, type);
  // A NUL between elements would be no part of any of them.
  std::string stripped;
  std::string_view characters = value.bytes;
  if (auto rejection = CheckCharacters(value, options)) return rejection;
  if (characters.find('\0') != std::string_view::npos) {
    stripped.reserve(characters.size());
    for (const char c : characters) {
      if (c != '\0') stripped.push_back(c);
    }
    characters = stripped;
  }
  const std::size_t before = sink.out.size();
  ArrayText text(characters, type);
  ArrayWriter writer(type, options, sink);
  if (auto rejection = Write(text, writer)) return rejection;
  return CheckSize(sink.out.size() - before);
}

}  // namespace liteferry::target::internal
