#include "replication/base/error.h"

#include <utility>

namespace liteferry {

std::string_view ToString(Disposition disposition) {
  switch (disposition) {
    case Disposition::kRetry:
      return "retry";
    case Disposition::kInDoubt:
      return "in doubt";
    case Disposition::kRejectRow:
      return "reject row";
    case Disposition::kStop:
      return "stop";
    case Disposition::kBug:
      return "bug";
  }
  return "bug";
}

std::string_view ToString(Component component) {
  switch (component) {
    case Component::kSource:
      return "source";
    case Component::kTarget:
      return "target";
    case Component::kCapture:
      return "capture";
    case Component::kVerify:
      return "verify";
    case Component::kControl:
      return "control";
    case Component::kConfig:
      return "config";
  }
  return "control";
}

Error::Error(Disposition disposition, Component component, std::string message)
    : disposition_(disposition), component_(component), message_(std::move(message)) {}

Error&& Error::Hint(std::string hint) && {
  hint_ = std::move(hint);
  return std::move(*this);
}

Error&& Error::Exit(ExitCode code) && {
  exit_code_ = code;
  return std::move(*this);
}

Error&& Error::Server(std::string sqlstate, std::string constraint, std::string column,
                      std::string context) && {
  sqlstate_ = std::move(sqlstate);
  constraint_ = std::move(constraint);
  column_ = std::move(column);
  context_ = std::move(context);
  return std::move(*this);
}

Error&& Error::Sqlite(int extended_code) && {
  sqlite_code_ = extended_code;
  return std::move(*this);
}

ExitCode Error::exit_code() const {
  if (exit_code_ != ExitCode::kOk) return exit_code_;
  switch (disposition_) {
    case Disposition::kBug:
      return ExitCode::kBug;
    case Disposition::kRejectRow:
      return ExitCode::kDataError;
    case Disposition::kInDoubt:
      return ExitCode::kTryAgain;
    case Disposition::kRetry:
      return component_ == Component::kTarget ? ExitCode::kTargetUnreachable : ExitCode::kTryAgain;
    case Disposition::kStop:
      break;
  }
  switch (component_) {
    case Component::kSource:
      return ExitCode::kSourceMissing;
    case Component::kCapture:
      return ExitCode::kCannotCapture;
    case Component::kConfig:
      return ExitCode::kConfig;
    default:
      return ExitCode::kDataError;
  }
}

std::string Error::Describe() const {
  if (hint_.empty()) return message_;
  return message_ + "\nHINT: " + hint_;
}

void Require(bool condition, std::string_view what) {
  if (!condition) {
    throw Error(Disposition::kBug, Component::kControl, "invariant broken: " + std::string(what));
  }
}

}  // namespace liteferry
