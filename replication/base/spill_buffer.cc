#include "replication/base/spill_buffer.h"

#include <fcntl.h>
#include <sys/types.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <system_error>

#include "replication/base/error.h"

namespace liteferry {
namespace {

constexpr std::uint64_t kPiece = 1U << 20;

const char* TemporaryFolder() {
  // getenv races only with setenv, which nothing here calls.
  const char* folder = std::getenv("TMPDIR");  // NOLINT(concurrency-mt-unsafe)
  return folder != nullptr && *folder != '\0' ? folder : "/tmp";
}

Error SpillError(const char* what) {
  return Error(Disposition::kRetry, Component::kControl,
               std::string("cannot ") + what + " a temporary file in " + TemporaryFolder() + ": " +
                   std::generic_category().message(errno))
      .Hint("Free space there, or point TMPDIR at a folder that has it.")
      .Exit(ExitCode::kIo);
}

UniqueFd OpenTemporary() {
  UniqueFd file(::open(TemporaryFolder(), O_TMPFILE | O_RDWR | O_CLOEXEC, 0600));
  if (file.valid()) return file;
  // Some file systems know no O_TMPFILE.
  std::string name = std::string(TemporaryFolder()) + "/liteferry-XXXXXX";
  UniqueFd named(::mkostemp(name.data(), O_CLOEXEC));
  if (!named.valid()) throw SpillError("create");
  ::unlink(name.c_str());
  return named;
}

}  // namespace

void SpillBuffer::Append(std::string_view bytes) {
  memory_.append(bytes);
  if (memory_.size() > memory_limit_) Spill();
}

void SpillBuffer::Spill() {
  if (!file_.valid()) file_ = OpenTemporary();
  std::string_view rest = memory_;
  while (!rest.empty()) {
    const ssize_t written =
        ::pwrite(file_.get(), rest.data(), rest.size(), static_cast<off_t>(spilled_));
    if (written < 0 && errno == EINTR) continue;
    if (written <= 0) throw SpillError("write");
    spilled_ += static_cast<std::uint64_t>(written);
    rest.remove_prefix(static_cast<std::size_t>(written));
  }
  memory_.clear();
  if (memory_.capacity() > 2 * memory_limit_) memory_.shrink_to_fit();
}

void SpillBuffer::Read(std::uint64_t from, std::uint64_t to,
                       const std::function<void(std::string_view)>& sink) const {
  Require(from <= to && to <= size(), "read past the end of a spill buffer");
  std::string piece;
  while (from < std::min(to, spilled_)) {
    piece.resize(std::min(kPiece, std::min(to, spilled_) - from));
    const ssize_t got = ::pread(file_.get(), piece.data(), piece.size(), static_cast<off_t>(from));
    if (got < 0 && errno == EINTR) continue;
    if (got <= 0) throw SpillError("read");
    sink(std::string_view(piece).substr(0, static_cast<std::size_t>(got)));
    from += static_cast<std::uint64_t>(got);
  }
  while (from < to) {
    const auto length = std::min(kPiece, to - from);
    sink(std::string_view(memory_).substr(from - spilled_, length));
    from += length;
  }
}

void SpillBuffer::Clear() {
  memory_.clear();
  if (memory_.capacity() > 2 * memory_limit_) memory_.shrink_to_fit();
  spilled_ = 0;
  file_.Reset();
}

}  // namespace liteferry
