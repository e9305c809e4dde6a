// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <atomic>
#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

#include "maas/base/clock.h"
#include "maas/base/file_descriptor.h"
#include "maas/base/metrics.h"
#include "maas/base/request_id.h"
#include "maas/exec/thread.h"

namespace maas {

// A text of at most so many bytes, without memory of its own.
template <std::size_t kLongest>
class ShortText {
 public:
  void set(std::string_view text) noexcept {
    size_ = static_cast<std::uint8_t>(text.copy(text_.data(), kLongest));
    cut_ = text.size() > kLongest;
  }
  [[nodiscard]] std::string_view view() const noexcept { return {text_.data(), size_}; }
  [[nodiscard]] bool is_cut() const noexcept { return cut_; }

 private:
  std::array<char, kLongest> text_{};
  std::uint8_t size_ = 0;
  bool cut_ = false;
};

// What is noted of one answer.
struct AccessRecord {
  std::int64_t unix_ms = 0;  // when it was sent
  Duration took{};           // since its request had arrived
  std::uint64_t bytes_in = 0;
  std::uint64_t bytes_out = 0;
  int status = 0;
  RequestId id{};
  ShortText<32> trace{};
  ShortText<16> method{};
  ShortText<160> path{};  // without the query, which may hold what is not to be logged
  ShortText<56> client{};
};

// Writes a line for each answer, from a thread of its own: those who note one never wait. When
// records come faster than they can be written, some are dropped and counted. Owned by the Server.
class AccessLog {
 public:
  enum class Format : std::uint8_t { kText, kJson };

  // One thread's records on their way to the writer.
  class Ring {
   public:
    explicit Ring(AccessLog& log) : log_(log), records_(kCapacity) {}
    // By the one thread that has it.
    void note(const AccessRecord& record) noexcept;

   private:
    friend class AccessLog;
    static constexpr std::size_t kCapacity = 4096;
    AccessLog& log_;
    std::vector<AccessRecord> records_;
    std::atomic<std::size_t> written_{0};  // by its thread
    std::atomic<std::size_t> read_{0};     // by the log's
  };

  // `path` is a file to append to, or "-" for standard error. Throws unavailable when it cannot be
  // opened.
  AccessLog(const std::string& path, Format format, Counter& dropped);
  ~AccessLog() { stop(); }
  AccessLog(const AccessLog&) = delete;
  AccessLog& operator=(const AccessLog&) = delete;

  // Writes what there is, unless nobody takes it, and ends. Safe to call twice.
  void stop() noexcept;
  // For one more thread. Lives as long as the log.
  Ring& add_ring();

 private:
  void run();
  void wake() noexcept;
  bool wait_for_records();  // true when the log ends
  bool is_stopping();
  void drain(std::string& lines);
  bool wait_for_room();
  bool write(std::string_view text);

  const Format format_;
  Counter& dropped_;
  FileDescriptor file_;
  std::mutex mutex_;
  std::condition_variable changed_;
  std::vector<std::unique_ptr<Ring>> rings_;  // guarded by mutex_
  std::atomic<bool> pending_{false};          // there is something to write
  bool stopping_ = false;                     // guarded by mutex_
  Thread thread_;
};

// Appends the line of a record.
void append_text_line(std::string& out, const AccessRecord& record);
void append_json_line(std::string& out, const AccessRecord& record);

}  // namespace maas
