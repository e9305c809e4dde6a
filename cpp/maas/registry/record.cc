// SPDX-License-Identifier: Apache-2.0
#include "maas/registry/record.h"

#include <boost/json/object.hpp>

#include "maas/base/error.h"
#include "maas/base/sha256.h"
#include "maas/registry/json.h"

namespace maas {
namespace {

namespace json = boost::json;

std::string sealed(const json::object& record) {
  const std::string seal = sha256(canonical_json(record));
  return canonical_json(json::object{{"record", record}, {"sha256", seal}}) + "\n";
}

Error invalid(std::string message) {
  return {ErrorCode::kInvalidArgument, "record: " + std::move(message)};
}

const json::object& object_member(const json::object& object, std::string_view key) {
  const json::value& found = member(object, key);
  if (!found.is_object()) {
    throw invalid("\"" + std::string(key) + "\" is not an object");
  }
  return found.get_object();
}

json::object opened(std::string_view text) {
  const json::value value = parse_json(text, "the record");
  if (!value.is_object()) {
    throw invalid("it is not an object");
  }
  const json::object& record = object_member(value.get_object(), "record");
  if (sha256(canonical_json(record)) != string_member(value.get_object(), "sha256")) {
    throw invalid("it was changed: its SHA-256 is another one");
  }
  return record;
}

json::object tags_object(const Tags& tags) {
  json::object object;
  for (const auto& [key, text] : tags) {
    object[key] = text;
  }
  return object;
}

Tags tags_of(const json::object& record) {
  Tags tags;
  for (const auto& entry : object_member(record, "tags")) {
    if (entry.value().is_string()) {
      tags.emplace(entry.key(), std::string_view(entry.value().get_string()));
    }
  }
  return tags;
}

}  // namespace

std::string version_record(const VersionRow& row) {
  return sealed({{"name", row.name},
                 {"version", row.version},
                 {"digest", row.digest},
                 {"state", std::string(state_name(row.state))},
                 {"reason", row.reason},
                 {"description", row.description},
                 {"tags", tags_object(row.tags)}});
}

std::string model_record(const ModelRow& row) {
  json::object aliases;
  for (const auto& [alias, version] : row.aliases) {
    aliases[alias] = version;
  }
  return sealed({{"name", row.name},
                 {"next_version", row.next_version},
                 {"description", row.description},
                 {"created_ms", row.created_ms},
                 {"tags", tags_object(row.tags)},
                 {"aliases", aliases}});
}

VersionRow parse_version_record(std::string_view text) {
  const json::object record = opened(text);
  VersionRow row;
  row.name = string_member(record, "name");
  row.version = integer_member(record, "version");
  row.digest = string_member(record, "digest");
  row.state = parse_state(string_member(record, "state"));
  row.reason = string_member(record, "reason");
  row.description = string_member(record, "description");
  row.tags = tags_of(record);
  return row;
}

ModelRow parse_model_record(std::string_view text) {
  const json::object record = opened(text);
  ModelRow row;
  row.name = string_member(record, "name");
  row.next_version = integer_member(record, "next_version");
  row.description = string_member(record, "description");
  row.created_ms = integer_member(record, "created_ms");
  row.tags = tags_of(record);
  for (const auto& entry : object_member(record, "aliases")) {
    if (entry.value().is_int64()) {
      row.aliases.emplace(entry.key(), entry.value().get_int64());
    }
  }
  return row;
}

}  // namespace maas
