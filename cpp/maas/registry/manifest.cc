// SPDX-License-Identifier: Apache-2.0
#include "maas/registry/manifest.h"

#include <cmath>
#include <set>
#include <utility>

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>

#include "maas/base/error.h"
#include "maas/registry/json.h"

namespace maas {
namespace {

namespace json = boost::json;

constexpr std::int64_t kFormat = 1;
constexpr std::size_t kLongestKey = 250;
constexpr std::size_t kLongestText = 100'000;
constexpr std::size_t kLongestPath = 1024;

Error invalid(std::string message) {
  return {ErrorCode::kInvalidArgument, "manifest: " + std::move(message)};
}

// Inside the version, on every system: no way out and no name of two.
void check_path(std::string_view path) {
  bool good = !path.empty() && path.size() <= kLongestPath && path.back() != '/';
  for (std::string_view rest = path; good && !rest.empty();) {
    const std::string_view part = rest.substr(0, rest.find('/'));
    good = !part.empty() && part != "." && part != ".." && part.size() <= 255 &&
           part.find_first_of(std::string_view("\0\\", 2)) == std::string_view::npos;
    rest.remove_prefix(std::min(part.size() + 1, rest.size()));
  }
  if (!good) {
    throw invalid("'" + std::string(path.substr(0, 200)) + "' is not a relative path of a file");
  }
}

BlobRef blob_of(const json::object& object) {
  BlobRef blob{string_member(object, "sha256"), integer_member(object, "size")};
  if (!is_sha256(blob.digest) || blob.size < 0) {
    throw invalid("a file has no SHA-256 or size");
  }
  return blob;
}

const json::object& object_in(const json::value& value, std::string_view what) {
  if (!value.is_object()) {
    throw invalid(std::string(what) + " is not an object");
  }
  return value.get_object();
}

const json::array& array_in(const json::object& object, std::string_view key) {
  const json::value& value = member(object, key);
  if (!value.is_array()) {
    throw invalid(std::string(key) + " is not a list");
  }
  return value.get_array();
}

std::vector<FileEntry> files_of(const json::object& object) {
  std::vector<FileEntry> files;
  std::set<std::string> paths;
  for (const json::value& value : array_in(object, "files")) {
    const json::object& entry = object_in(value, "a file");
    files.push_back({string_member(entry, "path"), blob_of(entry)});
    check_path(files.back().path);
    if (!paths.insert(files.back().path).second) {
      throw invalid("two files are called '" + files.back().path + "'");
    }
  }
  if (files.empty()) {
    throw invalid("a version has at least one file");
  }
  return files;
}

std::vector<MetricValue> metrics_of(const json::object& object) {
  std::vector<MetricValue> metrics;
  std::set<std::pair<std::string, std::string>> names;
  for (const json::value& value : array_in(object, "metrics")) {
    const json::object& entry = object_in(value, "a metric");
    const json::value& number = member(entry, "value");
    if (!number.is_number() || !std::isfinite(number.to_number<double>())) {
      throw invalid("a metric's value is not a number");
    }
    metrics.push_back(
        {string_member(entry, "data"), string_member(entry, "name"), number.to_number<double>()});
    const MetricValue& metric = metrics.back();
    if (metric.name.empty() || metric.name.size() > kLongestKey ||
        metric.data.size() > kLongestKey || !names.emplace(metric.data, metric.name).second) {
      throw invalid("metric '" + metric.data.substr(0, 100) + ":" + metric.name.substr(0, 100) +
                    "' has no name, a name that is too long, or is there twice");
    }
  }
  return metrics;
}

Tags tags_of(const json::object& object) {
  Tags tags;
  for (const auto& entry : object_in(member(object, "tags"), "tags")) {
    if (!entry.value().is_string()) {
      throw invalid("tag '" + std::string(entry.key()) + "' is not a string");
    }
    check_tag(entry.key(), std::string_view(entry.value().get_string()));
    tags.emplace(entry.key(), std::string_view(entry.value().get_string()));
  }
  return tags;
}

json::object blob_object(const BlobRef& blob) {
  return {{"sha256", blob.digest}, {"size", blob.size}};
}

}  // namespace

void check_tag(std::string_view key, std::string_view value) {
  if (key.empty() || key.size() > kLongestKey || value.size() > kLongestText) {
    throw Error(ErrorCode::kInvalidArgument,
                "tag '" + std::string(key.substr(0, 100)) +
                    "': a key has 1 to 250 bytes and a value at most 100,000");
  }
}

void check_description(std::string_view text) {
  if (text.size() > kLongestText) {
    throw Error(ErrorCode::kInvalidArgument, "a description has at most 100,000 bytes");
  }
}

Manifest Manifest::parse(std::string_view text) {
  const json::value value = parse_json(text, "the manifest");
  const json::object& object = object_in(value, "it");
  if (integer_member(object, "format") != kFormat) {
    throw invalid("its format is another one than 1; a newer maas reads it");
  }
  Manifest made;
  made.files = files_of(object);
  made.runtime = string_member(object, "runtime");
  made.description = string_member(object, "description");
  check_description(made.description);
  made.author = string_member(object, "author");
  made.created_ms = integer_member(object, "created_ms");
  made.tags = tags_of(object);
  made.metrics = metrics_of(object);
  const json::value& signature = member(object, "signature");
  const json::value& lineage = member(object, "lineage");
  (void)object_in(signature, "the signature");
  (void)object_in(lineage, "the lineage");
  made.signature = canonical_json(signature);
  made.lineage = canonical_json(lineage);
  if (const json::value* sample = object.if_contains("sample"); sample && !sample->is_null()) {
    made.sample = blob_of(object_in(*sample, "the sample"));
  }
  return made;
}

std::string Manifest::to_json() const {
  json::object object;
  object["format"] = kFormat;
  json::array& entries = object["files"].emplace_array();
  for (const FileEntry& file : files) {
    json::object entry = blob_object(file.blob);
    entry["path"] = file.path;
    entries.push_back(std::move(entry));
  }
  object["runtime"] = runtime;
  object["description"] = description;
  object["author"] = author;
  object["created_ms"] = created_ms;
  json::object& keys = object["tags"].emplace_object();
  for (const auto& [key, text] : tags) {
    keys[key] = text;
  }
  json::array& values = object["metrics"].emplace_array();
  for (const MetricValue& metric : metrics) {
    values.push_back({{"data", metric.data}, {"name", metric.name}, {"value", metric.value}});
  }
  object["signature"] = parse_json(signature, "the signature");
  object["lineage"] = parse_json(lineage, "the lineage");
  if (sample) {
    object["sample"] = blob_object(*sample);
  }
  return canonical_json(object);
}

std::vector<FileEntry> Manifest::needed() const {
  std::vector<FileEntry> all = files;
  if (sample) {
    all.push_back({"(sample)", *sample});
  }
  return all;
}

}  // namespace maas
