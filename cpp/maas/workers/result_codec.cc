// SPDX-License-Identifier: Apache-2.0
#include "maas/workers/result_codec.h"

#include <algorithm>
#include <chrono>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "maas/workers/tensor_codec.h"
#include "maas/workers/wire.h"

namespace maas {
namespace {

using wire::ErrorHeader;
using wire::ResultHeader;
using wire::TensorHeader;

struct NamedError {
  std::int64_t row;
  const Error* error;
};

std::vector<NamedError> errors_of(const Result<BatchResult>& result) {
  std::vector<NamedError> errors;
  if (!result) {
    errors.push_back({0, &result.error()});
    return errors;
  }
  for (std::size_t row = 0; row < result->row_errors.size(); ++row) {
    if (const auto& error = result->row_errors[row]) {
      errors.push_back({static_cast<std::int64_t>(row), &*error});
    }
  }
  return errors;
}

ErrorHeader write_error(wire::Writer& writer, const NamedError& named) noexcept {
  const Error& error = *named.error;
  ErrorHeader header;
  header.row = named.row;
  header.code = static_cast<std::uint8_t>(error.code());
  header.is_final = error.is_final() ? 1 : 0;
  header.is_shared = error.is_shared() ? 1 : 0;
  header.http_status = error.http_status();
  header.retry_after_ns = error.retry_after().count();
  header.offset = writer.offset();
  header.message = error.message().size();
  header.detail = error.detail().size();
  writer.bytes(error.message().data(), error.message().size());
  writer.bytes(error.detail().data(), error.detail().size());
  return header;
}

void write(wire::Writer& writer, const Result<BatchResult>& result) noexcept {
  const std::vector<NamedError> errors = errors_of(result);
  const std::size_t outputs = result ? result->outputs.size() : 0;
  const std::size_t rows = result ? result->row_errors.size() : 0;
  writer.put(ResultHeader{static_cast<std::uint32_t>(outputs),
                          static_cast<std::uint32_t>(errors.size()), result ? 0U : 1U,
                          static_cast<std::int64_t>(rows)});
  std::byte* output_headers = writer.reserve(outputs * sizeof(TensorHeader));
  std::byte* error_headers = writer.reserve(errors.size() * sizeof(ErrorHeader));
  for (std::size_t i = 0; i < outputs; ++i) {
    const TensorHeader header = wire::write_tensor(writer, result->outputs[i]);
    if (output_headers != nullptr) {
      std::memcpy(output_headers + i * sizeof(header), &header, sizeof(header));
    }
  }
  for (std::size_t i = 0; i < errors.size(); ++i) {
    const ErrorHeader header = write_error(writer, errors[i]);
    if (error_headers != nullptr) {
      std::memcpy(error_headers + i * sizeof(header), &header, sizeof(header));
    }
  }
}

std::optional<Error> read_error(const ErrorHeader& header, wire::Memory memory) {
  const auto message = wire::part_of(memory, header.offset, header.message);
  if (!message || header.code >= kAllErrorCodes.size()) {
    return std::nullopt;
  }
  const auto detail = wire::part_of(memory, header.offset + header.message, header.detail);
  if (!detail ||
      (header.http_status != 0 && (header.http_status < 400 || header.http_status > 599))) {
    return std::nullopt;
  }
  const auto text = [](wire::Memory bytes) {
    return std::string(reinterpret_cast<const char*>(bytes.data()), bytes.size());
  };
  Error error(static_cast<ErrorCode>(header.code), text(*message), text(*detail));
  error.with_http_status(header.http_status);
  error.with_retry_after(
      std::chrono::nanoseconds(std::max<std::int64_t>(header.retry_after_ns, 0)));
  if (header.is_final != 0) {
    error.as_final();
  }
  if (header.is_shared != 0) {
    error.as_shared();
  }
  return error;
}

// Reads the parts of one answer; each says whether it was one.
class AnswerReader {
 public:
  explicit AnswerReader(wire::Memory memory) : memory_(memory), reader_(memory) {}

  std::optional<Result<BatchResult>> read(std::int64_t rows) {
    const auto header = reader_.get<ResultHeader>();
    if (!header || (header->rows != 0 && header->rows != rows) ||
        !reader_.fits(header->outputs, sizeof(TensorHeader)) || !read_outputs(header->outputs) ||
        !reader_.fits(header->errors, sizeof(ErrorHeader))) {
      return std::nullopt;
    }
    result_.row_errors.resize(static_cast<std::size_t>(header->rows));
    for (std::uint32_t i = 0; i < header->errors; ++i) {
      const auto about = *reader_.get<ErrorHeader>();
      auto error = read_error(about, memory_);
      if (!error) {
        return std::nullopt;
      }
      if (header->failed != 0) {
        return Result<BatchResult>(*std::move(error));
      }
      if (about.row < 0 || about.row >= header->rows) {
        return std::nullopt;
      }
      result_.row_errors[static_cast<std::size_t>(about.row)] = std::move(error);
    }
    if (header->failed != 0) {
      return std::nullopt;
    }
    return Result<BatchResult>(std::move(result_));
  }

 private:
  bool read_outputs(std::uint32_t count) {
    for (std::uint32_t i = 0; i < count; ++i) {
      Result<Tensor> tensor = wire::read_tensor(*reader_.get<TensorHeader>(), memory_, nullptr);
      if (!tensor) {
        return false;
      }
      result_.outputs.push_back(*std::move(tensor));
    }
    return true;
  }

  wire::Memory memory_;
  wire::Reader reader_;
  BatchResult result_;
};

}  // namespace

std::size_t result_size(const Result<BatchResult>& result) noexcept {
  wire::Writer count;
  write(count, result);
  return count.offset();
}

void write_result(const Result<BatchResult>& result, const SharedMemory& memory) noexcept {
  wire::Writer writer(memory.bytes());
  write(writer, result);
}

std::optional<Result<BatchResult>> read_result(const SharedMemory& memory, std::int64_t rows) {
  return AnswerReader(memory.bytes()).read(rows);
}

}  // namespace maas
