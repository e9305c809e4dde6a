// SPDX-License-Identifier: Apache-2.0
#include "maas/server/v2_statistics.h"

#include <cstdint>
#include <string_view>

#include "maas/server/json_writer.h"

namespace maas {
namespace {

void append_member(std::string& body, std::string_view key, std::uint64_t value) {
  body += body.ends_with('{') ? "\"" : ",\"";
  body += key;
  body += "\":";
  append_json_number(body, static_cast<std::int64_t>(value));
}

void append_stat(std::string& body, std::string_view key, std::uint64_t count, std::uint64_t ns) {
  body += body.ends_with('{') ? "\"" : ",\"";
  body += key;
  body += "\":{";
  append_member(body, "count", count);
  append_member(body, "ns", ns);
  body += '}';
}

void append_stat(std::string& body, std::string_view key, const DurationStat& stat) {
  append_stat(body, key, stat.count.value(), stat.nanoseconds.value());
}

void append_batches(std::string& body, const InferenceStats& stats) {
  body += R"("batch_stats":[)";
  for (const auto& [rows, batch] : stats.batches()) {
    body += body.ends_with('[') ? "{" : ",{";
    append_member(body, "batch_size", static_cast<std::uint64_t>(rows));
    append_stat(body, "compute_input", batch.count,
                static_cast<std::uint64_t>(batch.input.count()));
    append_stat(body, "compute_infer", batch.count,
                static_cast<std::uint64_t>(batch.compute.count()));
    append_stat(body, "compute_output", batch.count,
                static_cast<std::uint64_t>(batch.output.count()));
    body += '}';
  }
  body += ']';
}

void append_model(std::string& body, const ServedModel& model) {
  const InferenceStats& stats = model.batcher().stats().inference;
  body += R"({"name":)";
  append_json_string(body, model.name());
  body += R"(,"version":")";
  append_json_number(body, model.version());
  body += '"';
  append_member(body, "last_inference", static_cast<std::uint64_t>(stats.last()));
  append_member(body, "inference_count", stats.rows.value());
  append_member(body, "execution_count", stats.executions.value());
  body += R"(,"inference_stats":{)";
  append_stat(body, "success", stats.success);
  append_stat(body, "fail", stats.fail);
  append_stat(body, "queue", stats.queue);
  append_stat(body, "compute_input", stats.compute_input);
  append_stat(body, "compute_infer", stats.compute_infer);
  append_stat(body, "compute_output", stats.compute_output);
  append_stat(body, "cache_hit", 0, 0);
  append_stat(body, "cache_miss", 0, 0);
  body += R"(},"response_stats":{},)";
  append_batches(body, stats);
  body += R"(,"memory_usage":[]})";
}

}  // namespace

void write_statistics(std::span<const std::shared_ptr<ServedModel>> models, std::string& body) {
  body += R"({"model_stats":[)";
  for (const auto& model : models) {
    body += body.ends_with('[') ? "" : ",";
    append_model(body, *model);
  }
  body += "]}";
}

}  // namespace maas
