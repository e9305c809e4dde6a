// SPDX-License-Identifier: Apache-2.0
#include "maas/server/metrics_page.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cstddef>
#include <cstdint>
#include <string_view>
#include <vector>

#include "maas/batching/served_model.h"
#include "maas/workers/remote_model.h"

namespace maas {
namespace {

// A label's value: a backslash, a quote and a line feed are escaped.
void append_label(std::string& out, std::string_view name, std::string_view value) {
  out += name;
  out += "=\"";
  for (const char c : value) {
    if (c == '\n') {
      out += "\\n";
      continue;
    }
    if (c == '"' || c == '\\') {
      out += '\\';
    }
    out += c;
  }
  out += '"';
}

template <typename Number>
void append_number(std::string& out, Number value) {
  std::array<char, 32> text{};
  out.append(text.data(), std::to_chars(text.data(), text.data() + text.size(), value).ptr);
}

// One metric's samples, with its head before the first.
class Metric {
 public:
  Metric(std::string& out, std::string_view name, std::string_view type, std::string_view help)
      : out_(out), name_(name) {
    for (const auto& [key, value] : {std::pair{"# HELP ", help}, std::pair{"# TYPE ", type}}) {
      out_ += key;
      out_ += name_;
      out_ += ' ';
      out_ += value;
      out_ += '\n';
    }
  }

  // `suffix` follows the name; `labels` are written, without braces.
  template <typename Number>
  void sample(std::string_view suffix, std::string_view labels, Number value) {
    out_ += name_;
    out_ += suffix;
    if (!labels.empty()) {
      out_ += '{';
      out_ += labels;
      out_ += '}';
    }
    out_ += ' ';
    append_number(out_, value);
    out_ += '\n';
  }

  void histogram(const std::string& labels, const Histogram& histogram) {
    const Histogram::Reading reading = histogram.read();
    std::uint64_t below = 0;
    for (std::size_t i = 0; i < histogram.bounds().size(); ++i) {
      below += reading.counts[i];
      std::string bucket = labels + ",le=\"";
      append_number(bucket, histogram.bounds()[i]);
      sample("_bucket", bucket + '"', below);
    }
    sample("_bucket", labels + ",le=\"+Inf\"", reading.total);
    sample("_sum", labels, reading.sum);
    sample("_count", labels, reading.total);
  }

 private:
  std::string& out_;
  std::string_view name_;
};

struct Labelled {
  const ServedModel* model;
  std::string labels;  // model="...",version="..."
  ModelStats* stats;
};

// Of each model once, whether it answers under its name, behind an endpoint, or both.
std::vector<Labelled> all_stats(const Catalog& catalog) {
  std::vector<const ServedModel*> models;
  models.reserve(catalog.models.size() + catalog.endpoints.size());
  for (const auto& model : catalog.models) {
    models.push_back(model.get());
  }
  for (const EndpointSpec& endpoint : catalog.endpoints) {
    if (std::find(models.begin(), models.end(), endpoint.model.get()) == models.end()) {
      models.push_back(endpoint.model.get());
    }
  }
  std::vector<Labelled> all;
  for (const ServedModel* model : models) {
    Labelled& one = all.emplace_back(Labelled{model, {}, &model->batcher().stats()});
    append_label(one.labels, "model", model->name());
    append_label(one.labels, ",version", std::to_string(model->version()));
  }
  return all;
}

void write_errors(const std::vector<Labelled>& models, std::string& body) {
  Metric metric(body, "maas_errors_total", "counter", "Requests that failed, by reason.");
  for (const Labelled& model : models) {
    for (const ErrorCode code : kAllErrorCodes) {
      std::string labels = model.labels;
      append_label(labels, ",reason", error_code_name(code));
      metric.sample("", labels, model.stats->errors[static_cast<std::size_t>(code)].value());
    }
  }
}

void write_withdrawals(const Withdrawals& withdrawals,
                       const std::vector<Labelled>& models,
                       std::string& body) {
  Metric metric(body, "maas_cancelled_total", "counter",
                "Requests given up while they were queued or running, by reason.");
  for (const Labelled& model : models) {
    const auto counts = withdrawals.of(model.model->name(), model.model->version());
    for (std::size_t i = 0; i < counts.size(); ++i) {
      std::string labels = model.labels;
      append_label(labels, ",stage", Withdrawals::kKinds[i].stage);
      append_label(labels, ",reason", Withdrawals::kKinds[i].reason);
      metric.sample("", labels, counts[i]);
    }
  }
}

void write_streams(const std::vector<Labelled>& models, std::string& body) {
  {
    Metric metric(body, "maas_streams_total", "counter", "Answers that were begun as streams.");
    for (const Labelled& model : models) {
      metric.sample("", model.labels, model.stats->streams.value());
    }
  }
  Metric metric(body, "maas_stream_items_total", "counter", "Items sent in streams.");
  for (const Labelled& model : models) {
    metric.sample("", model.labels, model.stats->stream_items.value());
  }
}

struct HistogramMetric {
  std::string_view name;
  std::string_view help;
  Histogram ModelStats::* member;
};

constexpr std::array kHistograms = {
    HistogramMetric{"maas_queue_seconds", "From submission to the start of the batch.",
                    &ModelStats::queue_seconds},
    HistogramMetric{"maas_batch_seconds", "Assembling a batch and taking it apart.",
                    &ModelStats::batch_seconds},
    HistogramMetric{"maas_compute_seconds", "The model's run, once per batch.",
                    &ModelStats::compute_seconds},
    HistogramMetric{"maas_request_seconds", "From submission to the answer.",
                    &ModelStats::total_seconds},
    HistogramMetric{"maas_batch_size", "Rows per batch.", &ModelStats::batch_rows},
};

void write_batching(const std::vector<Labelled>& models, std::string& body) {
  {
    Metric metric(body, "maas_tokens_total", "counter",
                  "Positions of padded batches, by whether a request or padding filled them.");
    for (const Labelled& model : models) {
      metric.sample("", model.labels + R"(,kind="real")", model.stats->tokens.value());
      metric.sample("", model.labels + R"(,kind="padding")", model.stats->padding_tokens.value());
    }
  }
  Metric metric(body, "maas_rerun_rows_total", "counter",
                "Rows of batches that failed, run again to find the culprit.");
  for (const Labelled& model : models) {
    metric.sample("", model.labels, model.stats->rerun_rows.value());
  }
}

struct WorkerMetric {
  std::string_view name;
  std::string_view type;
  std::string_view help;
  std::int64_t (*value)(const WorkerPool& pool);
};

template <Counter WorkerStats::* kMember>
std::int64_t count_of(const WorkerPool& pool) {
  return static_cast<std::int64_t>((pool.stats().*kMember).value());
}

constexpr std::array kWorkerMetrics = {
    WorkerMetric{"maas_workers_live", "gauge", "Worker processes that take batches.",
                 [](const WorkerPool& pool) { return pool.stats().live.value(); }},
    WorkerMetric{"maas_workers_unavailable", "gauge",
                 "1 while nobody is served because workers died too often.",
                 [](const WorkerPool& pool) -> std::int64_t {
                   return pool.unavailable().has_value() ? 1 : 0;
                 }},
    WorkerMetric{"maas_worker_starts_total", "counter", "Worker processes that became ready.",
                 &count_of<&WorkerStats::starts>},
    WorkerMetric{"maas_worker_deaths_total", "counter",
                 "Worker processes that ended without being told to.",
                 &count_of<&WorkerStats::deaths>},
    WorkerMetric{"maas_worker_retries_total", "counter",
                 "Batches that ran again because their worker died.",
                 &count_of<&WorkerStats::retries>},
    WorkerMetric{"maas_worker_alarms_total", "counter",
                 "Times that workers died so often that nobody was served for a while.",
                 &count_of<&WorkerStats::alarms>},
};

using Pools = std::vector<std::pair<const WorkerPool*, std::string_view>>;

Pools pools_of(const std::vector<Labelled>& models) {
  Pools pools;
  for (const Labelled& model : models) {
    if (const auto* remote = dynamic_cast<const RemoteModel*>(&model.model->model())) {
      pools.emplace_back(&remote->pool(), model.labels);
    }
  }
  return pools;
}

void write_workers(const std::vector<Labelled>& models, std::string& body) {
  const Pools pools = pools_of(models);
  if (pools.empty()) {
    return;
  }
  for (const WorkerMetric& worker : kWorkerMetrics) {
    Metric metric(body, worker.name, worker.type, worker.help);
    for (const auto& [pool, labels] : pools) {
      metric.sample("", labels, worker.value(*pool));
    }
  }
}

void write_models(const std::vector<Labelled>& models, std::string& body) {
  {
    Metric metric(body, "maas_requests_total", "counter", "Requests answered, well or not.");
    for (const Labelled& model : models) {
      metric.sample("", model.labels, model.stats->requests.value());
    }
  }
  write_errors(models, body);
  write_streams(models, body);
  {
    Metric metric(body, "maas_in_flight", "gauge",
                  "Requests accepted and not yet answered to the end.");
    for (const Labelled& model : models) {
      metric.sample("", model.labels, model.stats->in_flight.value());
    }
  }
  {
    Metric metric(body, "maas_queue_depth", "gauge", "Requests waiting for an executor.");
    for (const Labelled& model : models) {
      metric.sample("", model.labels, model.stats->queued.value());
    }
  }
  write_batching(models, body);
  for (const HistogramMetric& histogram : kHistograms) {
    Metric metric(body, histogram.name, "histogram", histogram.help);
    for (const Labelled& model : models) {
      metric.histogram(model.labels, model.stats->*histogram.member);
    }
  }
}

void write_server(const ServerState& state, std::string& body) {
  {
    Metric metric(body, "maas_http_requests_total", "counter", "HTTP answers by status class.");
    for (std::size_t i = 1; i < state.answers.size(); ++i) {
      metric.sample("", "code=\"" + std::to_string(i) + "xx\"", state.answers[i].value());
    }
  }
  Metric(body, "maas_access_log_dropped_total", "counter",
         "Lines of the access log that could not be written in time.")
      .sample("", "", state.access_dropped.value());
  Metric(body, "maas_requests_cut_short_total", "counter",
         "Requests whose client went before they had arrived.")
      .sample("", "", state.cut_short.value());
  Metric(body, "maas_connections", "gauge", "Open connections.")
      .sample("", "", state.connections.value());
  Metric(body, "maas_http_in_flight", "gauge", "HTTP requests read and not yet answered.")
      .sample("", "", state.in_flight.value());
  Metric(body, "maas_ready", "gauge", "1 when the server takes requests.")
      .sample("", "", state.ready ? 1 : 0);
}

}  // namespace

void write_metrics(const ServerState& state, const Catalog& catalog, std::string& body) {
  const std::vector<Labelled> models = all_stats(catalog);
  write_models(models, body);
  write_workers(models, body);
  write_withdrawals(state.withdrawals, models, body);
  write_server(state, body);
}

}  // namespace maas
