// SPDX-License-Identifier: Apache-2.0
#include "maas/server/typed_request.h"

#include <algorithm>
#include <array>
#include <optional>
#include <string>

#include "maas/base/error.h"
#include "maas/server/form_urlencoded.h"
#include "maas/server/json_body.h"
#include "maas/server/media_type.h"
#include "maas/server/multipart.h"
#include "maas/server/names.h"

namespace maas {
namespace {

using Form = FieldPart::Form;
constexpr std::string_view kJson = "application/json";
constexpr std::string_view kMultipart = "multipart/form-data";

void read_json(const HttpRequest& http, RequestFields& fields) {
  JsonReader json(http.body);
  if (json.type() != JsonType::kObject) {
    json.skip();
    json.finish();
    throw Error(ErrorCode::kUnprocessable, "the body must be a JSON object",
                body_problem("must be an object with a key for each field", "object_type"));
  }
  json.begin_object();
  while (const auto key = json.next_key()) {
    fields.add_member(*key, json);
  }
  json.finish();
}

std::string boundary_of(const HttpRequest& http) {
  const auto type = parse_media_type(http.header("content-type"));
  const std::string* boundary = type ? type->find("boundary") : nullptr;
  if (boundary == nullptr || !is_boundary(*boundary)) {
    throw Error(ErrorCode::kInvalidArgument,
                "the Content-Type multipart/form-data names no valid boundary");
  }
  return *boundary;
}

// Text, unless it says that it is JSON or anything else.
Form form_of(const FormPart& part) noexcept {
  const std::string_view type = essence_of(part.content_type);
  if (part.is_file) {
    return Form::kFile;
  }
  if (same_token(type, kJson)) {
    return Form::kJson;
  }
  return type.empty() || same_token(type, "text/plain") ? Form::kText : Form::kFile;
}

void read_multipart(const HttpRequest& http, RequestFields& fields) {
  for (const FormPart& part : parse_multipart(http.body, boundary_of(http))) {
    // What a browser sends for a file that nobody chose.
    if (part.is_file && part.filename.empty() && part.data.empty()) {
      continue;
    }
    fields.add_part(part.name, {form_of(part), part.content_type, part.filename, part.data});
  }
}

void read_urlencoded(const HttpRequest& http, RequestFields& fields) {
  for (const auto& [name, value] : parse_urlencoded(http.body)) {
    fields.add_part(name, {Form::kText, {}, {}, value});
  }
}

// The one field that takes a body of this media type; null when there is none, or more than one.
const FieldSpec* taker_of(const EndpointSpec& endpoint, std::string_view type) noexcept {
  const FieldSpec* found = nullptr;
  for (const FieldSpec& field : endpoint.fields) {
    if (field.media.empty()) {
      continue;
    }
    const bool takes =
        std::any_of(field.media.begin(), field.media.end(),
                    [&](const std::string& pattern) { return media_matches(pattern, type); });
    if (!takes || found != nullptr) {
      return nullptr;
    }
    found = &field;
  }
  return found;
}

void read_whole(const HttpRequest& http, RequestFields& fields) {
  const std::string_view type = http.header("content-type");
  const FieldSpec& field = *taker_of(fields.endpoint(), essence_of(type));
  fields.add_part(field.name, {Form::kFile, type, {}, http.body});
  for (const auto& [name, value] : parse_urlencoded(http.query)) {
    fields.add_part(name, {Form::kQuery, {}, {}, value});
  }
}

constexpr std::array kKinds = {
    BodyKind{kJson, &read_json},
    BodyKind{kMultipart, &read_multipart},
    BodyKind{"application/x-www-form-urlencoded", &read_urlencoded},
};
// The body itself: what media types it may have, its field says.
constexpr BodyKind kWhole{"*/*", &read_whole, "query"};

[[noreturn]] void refuse(std::string_view type, const EndpointSpec& endpoint) {
  std::string taken;
  for (const BodyKind& kind : kKinds) {
    taken += (taken.empty() ? "" : ", ") + std::string(kind.media_type);
  }
  const auto takes_media = [](const FieldSpec& field) { return !field.media.empty(); };
  const auto& fields = endpoint.fields;
  if (std::count_if(fields.begin(), fields.end(), takes_media) == 1) {
    for (const auto& media : std::find_if(fields.begin(), fields.end(), takes_media)->media) {
      taken += ", " + media;
    }
  }
  throw Error(ErrorCode::kInvalidArgument, "the Content-Type " + in_quotes(type) +
                                               " is not supported; this endpoint takes " + taken)
      .with_http_status(415);
}

}  // namespace

const BodyKind& body_kind(const HttpRequest& http, const EndpointSpec& endpoint) {
  const bool media = std::any_of(endpoint.fields.begin(), endpoint.fields.end(),
                                 [](const FieldSpec& field) { return !field.media.empty(); });
  const std::string_view type = media ? essence_of(http.header("content-type")) : kJson;
  if (type.empty() || same_token(type, kJson)) {
    require_json_type(http);
    return kKinds.front();
  }
  for (const BodyKind& kind : kKinds) {
    if (same_token(kind.media_type, type)) {
      return kind;
    }
  }
  if (taker_of(endpoint, type) == nullptr) {
    refuse(type, endpoint);
  }
  return kWhole;
}

void read_typed_request(const BodyKind& kind,
                        const HttpRequest& http,
                        const EndpointSpec& endpoint,
                        std::size_t max_bytes,
                        std::vector<Tensor>& inputs) {
  RequestFields fields(endpoint, max_bytes, inputs, kind.others);
  kind.read(http, fields);
  fields.finish();
}

}  // namespace maas
