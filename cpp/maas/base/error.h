// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <chrono>
#include <cstdint>
#include <exception>
#include <string>
#include <string_view>
#include <utility>

namespace maas {

// Every way a request or a call can fail. Two tables map it, and no third: to HTTP status
// (server/http_status.cc) and to a Python class (python/maas/errors.py).
enum class ErrorCode : std::uint8_t {
  kInvalidArgument,  // malformed: it can never be understood
  kUnprocessable,    // understood, but a value breaks the declared schema
  kNotFound,
  kAlreadyExists,
  kConflict,  // it is no longer, or not, as the caller believed
  kUnauthorized,
  kForbidden,
  kTooLarge,
  kOverloaded,  // a bound was reached; try again later
  kDeadlineExceeded,
  kCancelled,
  kUnavailable,
  kInternal,
};

inline constexpr std::array kAllErrorCodes = {
    ErrorCode::kInvalidArgument,  ErrorCode::kUnprocessable, ErrorCode::kNotFound,
    ErrorCode::kAlreadyExists,    ErrorCode::kConflict,      ErrorCode::kUnauthorized,
    ErrorCode::kForbidden,        ErrorCode::kTooLarge,      ErrorCode::kOverloaded,
    ErrorCode::kDeadlineExceeded, ErrorCode::kCancelled,     ErrorCode::kUnavailable,
    ErrorCode::kInternal,
};

// The code in snake_case: "invalid_argument". Used in metrics labels and in Python.
std::string_view error_code_name(ErrorCode code) noexcept;

// A failure with one clear sentence for the person who gets it. Thrown where the caller cannot go
// on; carried as a value in Result where failing is ordinary traffic.
class Error : public std::exception {
 public:
  Error(ErrorCode code, std::string message) : code_(code), message_(std::move(message)) {}
  // `detail` is a JSON array of {loc,msg,type}: what is wrong with each field.
  Error(ErrorCode code, std::string message, std::string detail)
      : code_(code), message_(std::move(message)), detail_(std::move(detail)) {}

  [[nodiscard]] ErrorCode code() const noexcept { return code_; }
  [[nodiscard]] const std::string& message() const noexcept { return message_; }
  [[nodiscard]] const std::string& detail() const noexcept { return detail_; }
  [[nodiscard]] const char* what() const noexcept override { return message_.c_str(); }

  // The HTTP status that a handler asked for (maas.Error(418, ...)); 0 when the code decides.
  [[nodiscard]] int http_status() const noexcept { return http_status_; }
  Error& with_http_status(int status) noexcept {
    http_status_ = status;
    return *this;
  }

  // To run the same again, or a part of it, would fail in the same way.
  [[nodiscard]] bool is_final() const noexcept { return final_; }
  Error& as_final() noexcept {
    final_ = true;
    return *this;
  }

  // Said of several requests at once: which of them is to blame is not known.
  [[nodiscard]] bool is_shared() const noexcept { return shared_; }
  Error& as_shared() noexcept {
    shared_ = true;
    return *this;
  }

  // When it is worth trying again, for kOverloaded and kUnavailable; zero when nobody can tell.
  [[nodiscard]] std::chrono::nanoseconds retry_after() const noexcept { return retry_after_; }
  Error& with_retry_after(std::chrono::nanoseconds wait) noexcept {
    retry_after_ = wait;
    return *this;
  }

 private:
  ErrorCode code_;
  bool final_ = false;
  bool shared_ = false;
  int http_status_ = 0;
  std::chrono::nanoseconds retry_after_{};
  std::string message_;
  std::string detail_;
};

// Turns the exception being handled into an Error; what is unknown becomes kInternal.
Error current_error() noexcept;

}  // namespace maas
