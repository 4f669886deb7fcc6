#pragma once

#include <cstdint>
#include <exception>
#include <string>
#include <string_view>

namespace liteferry {

// What the caller must do next. Policy reads only this; the other fields are for people.
enum class Disposition : std::uint8_t {
  kRetry,      // transient: back off, reconnect, do the same again
  kInDoubt,    // the outcome of a COMMIT is unknown: read the position before anything else
  kRejectRow,  // a row cannot be represented on the target: record it, go on with the others
  kStop,       // a person must act: halt with the reason and the next command
  kBug,        // an invariant is broken: halt, never retry
};

enum class Component : std::uint8_t { kSource, kTarget, kCapture, kVerify, kControl, kConfig };

std::string_view ToString(Disposition disposition);
std::string_view ToString(Component component);

// Process exit codes of the contract (sysexits numbers).
enum class ExitCode : std::uint8_t {
  kOk = 0,
  kDifferences = 1,
  kUsage = 64,
  kDataError = 65,
  kSourceMissing = 66,
  kTargetUnreachable = 69,
  kBug = 70,
  kCannotCapture = 73,
  kIo = 74,
  kTryAgain = 75,
  kPermission = 77,
  kConfig = 78,
};

// The only exception type of liteferry. The message is lower-case, without a full stop, and names
// the object and the value; it never holds a secret or the contents of a row. The hint is a
// sentence that says what to run next, or empty.
//
// Not a hierarchy: callers decide by disposition(), people read what() and hint().
class Error : public std::exception {
 public:
  Error(Disposition disposition, Component component, std::string message);

  // Each returns *this, so that an error is thrown in one expression.
  Error&& Hint(std::string hint) &&;
  Error&& Exit(ExitCode code) &&;
  // SQLSTATE and what the server named. `detail` may hold row contents and is never logged.
  Error&& Server(std::string sqlstate, std::string constraint, std::string column,
                 std::string context) &&;
  // SQLite's extended result code.
  Error&& Sqlite(int extended_code) &&;

  const char* what() const noexcept override { return message_.c_str(); }
  const std::string& message() const { return message_; }
  const std::string& hint() const { return hint_; }
  Disposition disposition() const { return disposition_; }
  Component component() const { return component_; }
  // Empty unless PostgreSQL reported the error.
  const std::string& sqlstate() const { return sqlstate_; }
  const std::string& constraint() const { return constraint_; }
  const std::string& column() const { return column_; }
  const std::string& context() const { return context_; }
  // Zero unless SQLite reported the error.
  int sqlite_code() const { return sqlite_code_; }
  // The code a one-shot command exits with; derived from disposition and component unless set.
  ExitCode exit_code() const;

  // Message, then `HINT:` and the hint on a line of its own where there is one.
  std::string Describe() const;

 private:
  Disposition disposition_;
  Component component_;
  std::string message_;
  std::string hint_;
  std::string sqlstate_;
  std::string constraint_;
  std::string column_;
  std::string context_;
  int sqlite_code_ = 0;
  ExitCode exit_code_ = ExitCode::kOk;  // kOk: derive it
};

// Throws a kBug error that names `what` unless `condition` holds.
void Require(bool condition, std::string_view what);

}  // namespace liteferry
