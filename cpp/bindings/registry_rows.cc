// SPDX-License-Identifier: Apache-2.0
#include "registry_rows.h"

#include <string>

#include <pybind11/stl.h>

namespace maas {

namespace py = pybind11;
using py::literals::operator""_a;

py::dict to_python(const VersionRow& row) {
  py::list metrics;
  for (const MetricValue& metric : row.metrics) {
    metrics.append(
        py::dict("data"_a = metric.data, "name"_a = metric.name, "value"_a = metric.value));
  }
  return py::dict("name"_a = row.name, "version"_a = row.version, "digest"_a = row.digest,
                  "state"_a = std::string(state_name(row.state)), "reason"_a = row.reason,
                  "damage"_a = row.damage, "runtime"_a = row.runtime,
                  "description"_a = row.description, "author"_a = row.author,
                  "created_ms"_a = row.created_ms, "size"_a = row.size, "aliases"_a = row.aliases,
                  "tags"_a = row.tags, "metrics"_a = metrics);
}

py::dict to_python(const ModelRow& row) {
  return py::dict("name"_a = row.name, "description"_a = row.description,
                  "created_ms"_a = row.created_ms, "versions"_a = row.versions,
                  "latest"_a = row.latest, "next_version"_a = row.next_version, "tags"_a = row.tags,
                  "aliases"_a = row.aliases);
}

py::dict to_python(const AliasMove& move) {
  return py::dict("sequence"_a = move.sequence, "name"_a = move.name, "alias"_a = move.alias,
                  "version"_a = move.version, "previous"_a = move.previous,
                  "action"_a = move.action, "who"_a = move.who, "at_ms"_a = move.at_ms);
}

py::dict to_python(const AuditRow& row) {
  return py::dict("sequence"_a = row.sequence, "at_ms"_a = row.at_ms, "who"_a = row.who,
                  "request_id"_a = row.request_id, "action"_a = row.action, "name"_a = row.name,
                  "version"_a = row.version, "subject"_a = row.subject, "before"_a = row.before,
                  "after"_a = row.after, "previous_hash"_a = row.previous_hash,
                  "hash"_a = row.hash);
}

py::dict to_python(const OutboxRow& row) {
  return py::dict("id"_a = row.id, "name"_a = row.name, "event"_a = row.event,
                  "payload"_a = row.payload, "created_ms"_a = row.created_ms);
}

py::dict to_python(const FsckReport& report) {
  py::list findings;
  for (const Finding& finding : report.findings) {
    findings.append(py::dict("kind"_a = finding.kind, "name"_a = finding.name,
                             "version"_a = finding.version, "message"_a = finding.message,
                             "repaired"_a = finding.repaired));
  }
  return py::dict("well"_a = report.is_well(), "versions"_a = report.versions,
                  "blobs"_a = report.blobs, "bytes"_a = report.bytes,
                  "unneeded"_a = report.unneeded, "findings"_a = findings);
}

py::dict to_python(const CollectReport& report) {
  return py::dict("blobs"_a = report.blobs, "bytes"_a = report.bytes, "young"_a = report.young,
                  "temporary_files"_a = report.temporary_files, "records"_a = report.records,
                  "leases"_a = report.leases);
}

py::dict to_python(const RecoverReport& report) {
  return py::dict("models"_a = report.models, "versions"_a = report.versions,
                  "audit_rows"_a = report.audit_rows, "kept"_a = report.kept.string(),
                  "problems"_a = report.problems);
}

py::dict to_python(const BackupReport& report) {
  return py::dict("versions"_a = report.versions, "blobs"_a = report.blobs,
                  "bytes"_a = report.bytes, "problems"_a = report.problems);
}

}  // namespace maas
